"""Which files of a folder or an archive are footage, and in which order."""

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path

from tlae.footage.images import IMAGE_SUFFIXES

VIDEO_SUFFIXES = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".avi",
        ".mkv",
        ".webm",
        ".mpg",
        ".mpeg",
        ".ts",
        ".mts",
        ".m2ts",
        ".wmv",
        ".flv",
        ".3gp",
        ".asf",
        ".ogv",
        ".mjpg",
        ".mjpeg",
        ".h264",
        ".h265",
        ".hevc",
        ".dav",
    ]
)

UNREAD_SUFFIXES = {
    "pictures of phones (HEIC, HEIF), convert them: heif-convert in.heic out.jpg": frozenset(
        [".heic", ".heif", ".hif"]
    ),
    "raw pictures, develop them: darktable-cli in.nef out.png": frozenset(
        [
            ".3fr",
            ".arw",
            ".cr2",
            ".cr3",
            ".dng",
            ".erf",
            ".nef",
            ".nrw",
            ".orf",
            ".pef",
            ".raf",
            ".raw",
            ".rw2",
            ".sr2",
            ".srw",
        ]
    ),
    "pictures of a kind that is not read, convert them: magick in.jxl out.png": frozenset(
        [".avif", ".exr", ".hdr", ".jp2", ".j2k", ".jpx", ".jxl", ".psd", ".tga"]
    )
    - IMAGE_SUFFIXES,
    "videos of a kind that is not read, convert them: ffmpeg -i in.r3d out.mp4": frozenset(
        [".264", ".265", ".braw", ".insv", ".mxf", ".r3d", ".rm", ".rmvb", ".vob"]
    ),
}
"""What files are that would be footage after a conversion, and how to convert them; suffixes."""

Tree = dict[str, list[str]]
"""Folder, "/"-separated and relative to the footage's root ("" is the root), to its file names."""

NaturalKey = tuple[str, str]

logger = logging.getLogger(__name__)


def natural_key(name: str) -> NaturalKey:
    """Sort key: ``img2`` before ``img10``; ties go by letter case and zeros."""
    return re.sub("[0-9]+", _sized, name.casefold()), name


def folder_key(folder: str) -> tuple[NaturalKey, ...]:
    """Sort key of a relative folder: the root first, then level by level in natural order."""
    return tuple(natural_key(part) for part in folder.split("/") if part not in ("", "."))


def join(folder: str, name: str) -> str:
    """Relative path of a file in a relative folder."""
    return f"{folder}/{name}" if folder else name


def is_image(name: str) -> bool:
    """Whether the suffix is that of a picture."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122 -- a million names


def is_video(name: str) -> bool:
    """Whether the suffix is that of a video."""
    return os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES  # noqa: PTH122 -- a million names


def has_footage_suffix(name: str) -> bool:
    """Whether the suffix is that of a picture or video, of a kind that is read or not."""
    return is_image(name) or is_video(name) or unread_kind(name) is not None


def unread_kind(name: str) -> str | None:
    """What a picture or video is that cannot be read; None for everything else."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 -- a million names
    return next((kind for kind, suffixes in UNREAD_SUFFIXES.items() if suffix in suffixes), None)


def is_hidden(name: str) -> bool:
    """Dot-files and what macOS leaves behind: never footage."""
    return name.startswith(".") or name == "__MACOSX"


def is_label_folder(name: str) -> bool:
    """Folders of pixel masks that stand beside a clip in the UCSD layout."""
    return name.lower().endswith("_gt")


def is_left_out(folder: str) -> bool:
    """Whether any level of a relative folder is hidden or holds labels."""
    parts = (part for part in folder.split("/") if part != ".")
    return any(is_hidden(part) or is_label_folder(part) for part in parts)


def is_footage(name: str) -> bool:
    """Whether a file name is that of a picture or video."""
    return not is_hidden(name) and has_footage_suffix(name)


def walk(root: Path, folders: Iterable[str] = ("",), known: set[str] | None = None) -> Tree:
    """List pictures and videos below a folder on disk; only names are read, no sizes or contents.

    Args:
        root: folder that the result is relative to.
        folders: relative folders to start from.
        known: relative folders that cannot be listed, as was said before; it is kept up to date.

    Raises:
        OSError: a starting folder cannot be listed; folders below it are logged and left out.
    """
    tree: Tree = {}
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [
        (name, frozenset()) for name in folders
    ]
    starts = {name for name, _ in waiting}
    said = set() if known is None else known
    while waiting:
        folder, above = waiting.pop()
        try:
            facts = (root / folder).stat()
            files, below = _scan(root, folder)
        except OSError as error:
            if folder in starts:
                raise
            if folder not in said:
                logger.warning("%s left out: %s", root / folder, error.strerror)
            said.add(folder)
            continue
        said.discard(folder)
        itself = (facts.st_dev, facts.st_ino)
        if itself in above:  # a link back to a folder that it lies in
            continue
        waiting += [(name, above | {itself}) for name in below]
        if files:
            tree[folder] = files
    return tree


def _sized(digits: re.Match[str]) -> str:
    """A number after its length, so that text order is the order of numbers of any length."""
    number = digits[0].lstrip("0")
    return f"{len(number):05}{number}"


def _scan(root: Path, folder: str) -> tuple[list[str], list[str]]:
    """Footage files of one folder, and the folders in it."""
    files: list[str] = []
    folders: list[str] = []
    with os.scandir(root / folder) as entries:
        for entry in entries:
            if is_hidden(entry.name):
                continue
            if _is_folder(entry):
                if not is_label_folder(entry.name):
                    folders.append(join(folder, entry.name))
            elif is_footage(entry.name) and _is_file(entry):
                files.append(entry.name)
    return files, folders


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_file(entry: "os.DirEntry[str]") -> bool:
    """A file, or a link that leads to one or nowhere; who reads a pipe would wait for ever."""
    try:
        is_there = entry.is_file()
        return is_there or (entry.is_symlink() and not os.path.exists(entry.path))  # noqa: PTH110
    except OSError:
        return entry.is_symlink()
