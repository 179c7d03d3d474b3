"""Words of a command line, some of them changed."""

from collections.abc import Iterable


def reworded(words: Iterable[str], *others: str) -> list[str]:
    """The words, with others in the place of those that set the same, or after them."""
    by_key = {word.partition("=")[0]: word for word in words}
    return list((by_key | {word.partition("=")[0]: word for word in others}).values())
