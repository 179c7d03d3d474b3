"""Glob patterns, and what to say where nothing is found."""

import glob
import os
from collections import Counter
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from tlae.footage.images import IMAGE_SUFFIXES
from tlae.footage.sources.exclusion import Reasons, left_out_line
from tlae.footage.sources.listing import VIDEO_SUFFIXES, Tree, is_footage, is_left_out, walk

LOOKED_AT = 10_000  # names of a folder searched for a near one
SHOWN = 5  # names in a message


def has_wildcard(text: str) -> bool:
    """Whether it may be a glob pattern."""
    return any(sign in text for sign in "*?[")


def match(pattern: Path, root: Path) -> Tree:
    """List the footage that a glob pattern names, where ``**`` is any depth.

    Args:
        pattern: absolute; matched folders count with all that is in them.
        root: the folders before the first wildcard.
    """
    found: dict[str, set[str]] = {}
    folders: set[str] = set()
    for path in glob.iglob(str(pattern), recursive=True):  # noqa: PTH207 -- leaves hidden files out
        relative = os.path.relpath(path, root)
        folder, name = os.path.split(relative)
        if is_footage(name) and not is_left_out(folder):
            found.setdefault(folder, set()).add(name)
        elif Path(path).is_dir() and not is_left_out(relative):
            folders.add("" if relative == "." else relative)
    for folder, names in walk(root, _outermost(folders)).items():
        found.setdefault(folder, set()).update(names)
    return {folder.replace(os.sep, "/"): sorted(names) for folder, names in found.items()}


def nothing_there(spec: str, path: Path) -> str:
    """Message on a path that is no file: it does not exist, or is a device or a pipe."""
    if "://" in spec or path.exists():
        kind, source = ("address", "ADDRESS") if "://" in spec else ("device or pipe", spec)
        return (
            "footage.path must be a folder, picture, video, zip file or glob pattern on this "
            f"machine, got the {kind} {spec!r}; watch it with `tlae watch`, or record it first, "
            f"for example with `ffmpeg -i {source} -c copy -f segment -segment_time 600 "
            "camera/%05d.mkv`, and give the folder"
        )
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    names = [name for name in _names(missing.parent) if not name.startswith(".")]
    by_lower = {name.lower(): name for name in names}
    near = get_close_matches(missing.name.lower(), by_lower, 1, 0.5)
    if near:
        better = missing.parent / by_lower[near[0]]
        whole = better / path.relative_to(missing)
        cure = f"did you mean {whole if whole.exists() else better}?"
    else:
        cure = f"{missing.parent} holds {_some(names)}"
    return (
        "footage.path must be an existing folder, picture, video, zip file or glob pattern, "
        f"got {spec!r}, which is not there; {cure}"
    )


def nothing_usable(spec: str, path: Path, left_out: Reasons) -> str:
    """Message on a path that exists, or a pattern, without footage.

    Args:
        spec: what the user named.
        path: the same, absolute.
        left_out: files that would be footage elsewhere.
    """
    if path.is_dir():
        suffixes = Counter(Path(name).suffix.lower() or name for name in _names(path))
        held = f"which holds {_some([suffix for suffix, _ in suffixes.most_common()])}"
        archives = ".zip" in suffixes
    elif path.is_file():
        held, archives = "which is neither", False
    else:
        held, archives = "which matches none", False
    cure = "open one of its zip files" if archives else "check the path"
    if left_out:
        cure = left_out_line(left_out)
    return (
        f"footage.path must hold pictures ({' '.join(sorted(IMAGE_SUFFIXES))}) or videos "
        f"({' '.join(sorted(VIDEO_SUFFIXES))}), got {spec!r}, {held}; {cure}"
    )


def _outermost(folders: set[str]) -> list[str]:
    """Without those that lie in another one."""
    if "" in folders:
        return [""]
    inside = {
        folder
        for folder in folders
        if any(str(parent) in folders for parent in Path(folder).parents)
    }
    return sorted(folders - inside)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, LOOKED_AT))
    except OSError:
        return []


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more if names else "nothing"
