"""Rules that settings keep, each refused in the same words: setting, rule, value."""

import math
import re
from collections.abc import Collection
from numbers import Real

from tlae.errors import did_you_mean

LARGE = 10**9  # no number of frames, pictures or clusters is larger


def within(
    name: str, value: float | None, low: float, high: float = LARGE, *, open_low: bool = False
) -> None:
    """Refuse a number outside ``low..high`` (or at ``low``, where that is open); None passes.

    Raises:
        ValueError: with the rule.
    """
    if value is None:
        return
    _number(name, value)
    fits = math.isfinite(value) and low <= value <= high and not (open_low and value == low)
    if fits:
        return
    if high < LARGE or value > high:
        rule = f"in {'(' if open_low else '['}{low:g}, {high:g}]"
    else:
        rule = f"{'>' if open_low else '>='} {low:g}"
    raise ValueError(f"{name} must be {rule}, got {value:g}")


def share(name: str, value: float | None) -> None:
    """Refuse what is no share strictly between none and all; None passes.

    Raises:
        ValueError: with the rule.
    """
    if value is not None:
        _number(name, value)
    if value is not None and not 0 < value < 1:
        raise ValueError(f"{name} must be in (0, 1), got {value:g}")


def _number(name: str, value: object) -> None:
    """Refuse what is no number; yes and no are none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{name} must be a number, got {value!r}")


def one_of(name: str, value: str | None, known: Collection[str]) -> None:
    """Refuse a word that is none of ``known``; None passes.

    Raises:
        ValueError: with all of them.
    """
    if value is not None and value not in known:
        hint = did_you_mean(value, known)
        message = f"{name} must be one of {', '.join(known)}, got {value!r}"
        raise ValueError(f"{message}; {hint}" if hint else message)


def require_device(name: str) -> None:
    """Refuse a word that names no kind of device; whether it is there is seen later.

    Raises:
        ValueError: with the rule.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise ValueError(f"device must be auto, cpu, cuda, cuda:N or mps, got {name!r}")
