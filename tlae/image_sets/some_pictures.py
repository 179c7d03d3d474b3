"""A part of footage, chosen by the paths of its files."""

import os
from collections.abc import Callable
from dataclasses import replace

from tlae.footage.frames import Clip
from tlae.footage.sources import Footage
from tlae.footage.sources.image_folder import ImageClip
from tlae.footage.sources.listing import join
from tlae.footage.sources.video import VideoClip
from tlae.image_sets.item_pictures import ARCHIVE_MARK


def only_pictures(footage: Footage, wanted: Callable[[str], bool]) -> Footage:
    """Footage without the stills and videos of which ``wanted`` says no.

    Frames of a folder that loses some are numbered anew; clips that lose all are left out.

    Args:
        footage: any.
        wanted: asked with the path of a file, as tables of items hold it.
    """
    kept = [_part(clip, wanted) for clip in footage.clips]
    return replace(footage, clips=tuple(clip for clip in kept if clip is not None))


def frame_numbers(footage: Footage) -> dict[str, int]:
    """Number of the frame of each still, by its path."""
    return {
        clip.files.shown(join(clip.folder, name)): number
        for clip in footage.clips
        if isinstance(clip, ImageClip)
        for number, name in enumerate(clip.ordered)
    }


def file_state(path: str) -> str:
    """Size and time of change of the file that an item's path leads to; empty: not known."""
    archive, mark, _ = path.partition(f".zip{ARCHIVE_MARK}")
    try:
        found = os.stat(f"{archive}.zip" if mark else path)  # noqa: PTH116 -- a path of any form
    except (OSError, ValueError):
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def _part(clip: Clip, wanted: Callable[[str], bool]) -> Clip | None:
    if isinstance(clip, ImageClip):
        names = tuple(n for n in clip.names if wanted(clip.files.shown(join(clip.folder, n))))
        if len(names) == len(clip.names):
            return clip
        return replace(clip, names=names) if names else None
    if isinstance(clip, VideoClip):
        return clip if wanted(clip.files.shown(clip.member)) else None
    return clip
