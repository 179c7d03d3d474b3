"""From a tree of files to its clips: the pictures of a folder are one clip, so is every video."""

import os
import re
from collections import Counter

from tlae.footage.frames import Clip
from tlae.footage.sources.image_folder import Files, ImageClip, printable
from tlae.footage.sources.listing import (
    Tree,
    folder_key,
    is_image,
    is_video,
    join,
    natural_key,
)
from tlae.footage.sources.video import VideoClip
from tlae.footage.timestamps import Timing


def clips_of(
    tree: Tree, files: Files, root_name: str, timing: Timing, own_folder: str = ""
) -> tuple[Clip, ...]:
    """Make the clips of a tree, in natural order: a folder's pictures, its videos, its folders.

    Args:
        tree: folders with their footage files.
        files: where they lie.
        root_name: name of the clip made of the root's own pictures.
        timing: how the times of stills are found.
        own_folder: top folder that stands for the root and is left out of names.
    """
    clips: list[Clip] = []
    taken: set[str] = set()
    short = {folder: _short(folder, own_folder) for folder in tree}
    picture_folders = {
        _safe(short[folder]).casefold() for folder in tree if _pictures(tree[folder])
    }
    for folder in sorted(tree, key=folder_key):
        if pictures := _pictures(tree[folder]):
            name = _unique(short[folder] or root_name, taken)
            pictures.sort(key=natural_key)
            clips.append(ImageClip(name, files, folder, tuple(pictures), timing))
        videos = sorted(filter(is_video, tree[folder]), key=natural_key)
        stems = Counter(_stem(video).casefold() for video in videos)
        for video in videos:
            alone = stems[_stem(video).casefold()] == 1
            name = join(short[folder], _stem(video))
            if not alone or _safe(name).casefold() in picture_folders:
                name = join(short[folder], video)
            clips.append(VideoClip(_unique(name, taken), files, join(folder, video), timing))
    return tuple(clips)


def _short(folder: str, own_folder: str) -> str:
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    return "/".join(parts[1:] if own_folder and parts[:1] == [own_folder] else parts)


def _pictures(names: list[str]) -> list[str]:
    return [name for name in names if is_image(name)]


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]  # noqa: PTH122 -- a name, not a path


def _unique(name: str, taken: set[str]) -> str:
    """Safe form of a name that no other clip has, also where letter case does not count."""
    safe = _safe(name)
    number, unique = 1, safe
    while unique.casefold() in taken:
        number += 1
        unique = f"{safe}-{number}"
    taken.add(unique.casefold())
    return unique


def _safe(name: str) -> str:
    """Usable as part of a file name on every system; "/" stays."""
    parts = (re.sub(r'[\x00-\x1f\x7f<>:"\\|?*]', "_", part) for part in printable(name).split("/"))
    return "/".join(part.rstrip(". ") or "_" for part in parts)
