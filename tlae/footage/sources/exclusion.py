"""What is listed and is no footage: leftovers of recorders, exclusions, kinds that are not read."""

import re
from collections import Counter
from collections.abc import Callable
from fnmatch import translate

from tlae.errors import FootageError
from tlae.footage.sources.listing import Tree, join, unread_kind
from tlae.number_words import how_many

RECORDER_FOLDERS = frozenset(
    [
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "lost+found",
        "thumb",
        "thumbs",
        "thumbnail",
        "thumbnails",
    ]
)
"""Folders of network disks, recycle bins and thumbnails, in lower case."""

LEFTOVERS = "in folders of recorders ({}; name one as the footage to read it)"
EXCLUDED = "excluded by footage.exclude"
SHOWN_FOLDERS = 3  # names in a line

Reasons = Counter[str]
"""How many files are no footage, by reason."""


def without_excluded(tree: Tree, exclude: str | None) -> tuple[Tree, Reasons]:
    """Leave out what recorders leave, what ``exclude`` names and what cannot be read.

    Args:
        tree: as listed.
        exclude: see ``parse_exclude``.

    Returns:
        The tree without folders in which nothing remains, and how many files were left out.
    """
    is_excluded = parse_exclude(exclude)
    kept: Tree = {}
    reasons = Reasons()
    leftovers = Counter[str]()
    for folder, names in tree.items():
        if found := _recorder_folder(folder):
            leftovers[found] += len(names)
            continue
        rest = [name for name in names if not is_excluded(join(folder, name))]
        reasons[EXCLUDED] += len(names) - len(rest)
        unread = [kind for kind in map(unread_kind, rest) if kind]
        reasons.update(unread)
        if readable := [name for name in rest if not unread_kind(name)]:
            kept[folder] = readable
    if leftovers:
        shown = ", ".join(name for name, _ in leftovers.most_common(SHOWN_FOLDERS))
        reasons[LEFTOVERS.format(shown)] = leftovers.total()
    return kept, +reasons


def parse_exclude(exclude: str | None) -> Callable[[str], bool]:
    """Tell excluded files by their path relative to the footage's root.

    Args:
        exclude: glob patterns, separated by commas. One without "/" is held against every part of
            the path: ``small*`` excludes files and folders of that name at any depth. One with
            "/" is held against the path from the root on, and ``*`` crosses folders in it.

    Raises:
        FootageError: there is no pattern, or one that begins with "/".
    """
    if exclude is None:
        return lambda path: False
    patterns = [pattern.strip().rstrip("/") for pattern in exclude.split(",")]
    if not all(patterns) or any(pattern.startswith("/") for pattern in patterns):
        raise FootageError(
            "footage.exclude must be glob patterns of names or of paths below the footage, "
            f"separated by commas, got {exclude!r}; an example is *_small.jpg,night/*"
        )
    anywhere = _any_of([pattern for pattern in patterns if "/" not in pattern])
    placed = [pattern for pattern in patterns if "/" in pattern]
    at_root = _any_of([*placed, *(f"{pattern}/*" for pattern in placed)])
    return lambda path: bool(at_root.match(path) or any(map(anywhere.match, path.split("/"))))


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    alternatives = "|".join(f"(?:{translate(pattern)})" for pattern in patterns)
    return re.compile(alternatives or "(?!)")  # the latter matches nothing


def left_out_line(reasons: Reasons) -> str:
    """One line: ``12 files left out: 10 in folders of recorders (@eaDir), 2 excluded by ...``."""
    counts = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    return f"{how_many(reasons.total(), 'file')} left out: {counts}"


def _recorder_folder(folder: str) -> str | None:
    """The first level of a relative folder that is one of them."""
    return next((p for p in folder.split("/") if p.casefold() in RECORDER_FOLDERS), None)
