"""What files a footage held when it was read, to decide later whether it only grew."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from tlae.footage.frames import Clip
from tlae.footage.sources import Footage


@dataclass(frozen=True)
class ClipContents:
    """Files of one clip.

    Attributes:
        clip: its name.
        files: how many.
        digest: of how times are found, and of name, size and modification time of each file.
    """

    clip: str
    files: int
    digest: str


Contents = tuple[ClipContents, ...]


def contents_of(footage: Footage) -> Contents:
    """List the files of a footage; sizes and times are read, no file is opened."""
    return tuple(_contents(clip, None) for clip in footage.clips)


def goes_on_from(footage: Footage, before: Contents) -> bool:
    """Whether nothing of what there was has changed: further files follow, if any do.

    Args:
        footage: as it is now.
        before: its contents at an earlier time.
    """
    if len(before) > len(footage.clips):
        return False
    for number, (known, clip) in enumerate(zip(before, footage.clips, strict=False), start=1):
        may_grow = number == len(before)
        if known.clip != clip.name or known != _contents(clip, known.files if may_grow else None):
            return False
    return True


def as_json(contents: Contents) -> list[dict[str, Any]]:
    """Plain values for a file."""
    return [asdict(clip) for clip in contents]


def from_json(clips: Iterable[dict[str, Any]]) -> Contents:
    """What ``as_json`` made."""
    return tuple(ClipContents(**clip) for clip in clips)


def _contents(clip: Clip, first_files: int | None) -> ClipContents:
    """Contents of a clip, or of its first so many files."""
    lines = clip.fingerprint()
    digest = hashlib.sha256(f"{next(lines)}\n".encode())
    files = 0
    for line in islice(lines, first_files):
        digest.update(f"{line}\n".encode())
        files += 1
    return ClipContents(clip.name, files, digest.hexdigest())
