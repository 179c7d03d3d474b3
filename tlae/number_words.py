"""Numbers in sentences: counts with their nouns, and bounds that hold as they are written."""

from decimal import ROUND_CEILING, Decimal


def how_many(count: int, noun: str) -> str:
    """A count with its noun: ``1 event``, ``2,010 frames``.

    Args:
        count: of things, >= 0.
        noun: of one thing, with a plural in -s.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def rounded_up(value: float, digits: int = 2) -> str:
    """A lower bound to be asked for: no more digits than matter, and never below the value.

    Args:
        value: finite, > 0.
        digits: that are not 0, >= 1.
    """
    exact = Decimal(repr(float(value)))
    last = Decimal((0, (1,), exact.adjusted() - digits + 1))
    return f"{float(exact.quantize(last, ROUND_CEILING)):g}"


def per_second(rate: float) -> str:
    """A pace with the digits that matter: ``140``, ``7.3``, ``0.08``.

    Args:
        rate: of what is counted [1/s], >= 0.
    """
    return f"{rate:,.0f}" if rate >= 10 or not rate else f"{rate:.2g}"
