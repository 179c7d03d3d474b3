"""Pixel masks: a folder of pictures for each clip, non-zero where something is anomalous."""

import os
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from tlae.errors import UserError
from tlae.evaluation.ground_truth import ClipTruth, Mask, TruthRegion, regions_in
from tlae.evaluation.labels.files import files_of
from tlae.evaluation.labels.fit import Truths, check_count, check_known
from tlae.footage.sources.listing import is_hidden, is_label_folder, natural_key

MASK_SUFFIXES = frozenset({".bmp", ".png", ".tif", ".tiff"})  # no JPEG: its noise is not zero
WITH_PALETTE_OR_ALPHA = frozenset({"P", "PA", "LA", "RGBA"})

MOST_OF_THE_PICTURE = 0.9  # no mask, if it is so in every frame of a clip


def find_mask_folders(root: Path, beside_footage: bool = False) -> dict[str, Path]:
    """Find the folder of masks of each clip.

    Folders named ``<clip>_gt`` win; where there is none, every folder with masks is one.

    Args:
        root: folder that clips are named relative to.
        beside_footage: count only ``_gt`` folders, since others hold the footage itself.

    Returns:
        Folders by clip, in natural order.
    """
    folders = []
    for parent, below, _ in os.walk(root):
        below[:] = sorted((name for name in below if not is_hidden(name)), key=natural_key)
        folders += [Path(parent, name) for name in below]
        below[:] = [name for name in below if not is_label_folder(name)]
    found = [folder for folder in folders if is_label_folder(folder.name)]
    if not found and not beside_footage:
        found = [folder for folder in folders if files_of(folder, MASK_SUFFIXES)]
    return {_clip_of(folder.relative_to(root)): folder for folder in found}


def read_mask_folders(
    folders: Mapping[str, Path], lengths: Mapping[str, int], where: Path
) -> Truths:
    """Label a frame anomalous if its mask has any non-zero pixel; its regions are read when asked.

    Args:
        folders: masks of each clip, which may be fewer than have scores; the k-th file in natural
            order belongs to the k-th frame.
        lengths: frames of each clip that has scores.
        where: folder of them all, for messages.

    Raises:
        UserError: a clip without scores, another number of masks than frames, masks of two sizes,
            or a file that is no picture.
    """
    check_known(folders, lengths, where)
    truths = {}
    for clip, folder in folders.items():
        files = files_of(folder, MASK_SUFFIXES)
        check_count(clip, len(files), lengths[clip], folder)
        truths[clip] = truth_of_masks(clip, len(files), _reader(files), folder)
    return truths


def truth_of_masks(
    clip: str, frames: int, mask_of: Callable[[int], Mask], where: Path
) -> ClipTruth:
    """Look at every mask of a clip once, and again only when a frame's regions are asked for.

    Args:
        clip: its name.
        frames: how many it has, at least one.
        mask_of: reads the mask (H, W) of a frame.
        where: file or folder of the masks, for messages.

    Raises:
        UserError: the masks differ in size.
    """
    anomalous = np.zeros(frames, dtype=bool)
    sizes: dict[tuple[int, ...], int] = {}  # each with the first frame that has it
    least = 1.0
    for frame in range(frames):
        mask = mask_of(frame)
        anomalous[frame] = mask.any()
        least = min(least, float(mask.mean()))
        sizes.setdefault(mask.shape, frame)
    if len(sizes) > 1:
        first, other = list(sizes)[:2]
        raise UserError(
            f"masks of {clip} must all have one size, {where} has (height, width) {first}, and "
            f"{other} at frame {sizes[other]} (counted from 0)"
        )

    if frames and least > MOST_OF_THE_PICTURE:
        raise UserError(
            f"masks must be 0 where nothing is anomalous, {where} marks more than "
            f"{100 * MOST_OF_THE_PICTURE:.0f} % of every frame of {clip}; is this footage?"
        )

    @lru_cache(maxsize=1)
    def regions_of(frame: int) -> list[TruthRegion]:
        return regions_in(mask_of(frame)) if anomalous[frame] else []

    height, width = next(iter(sizes))
    return ClipTruth(clip, anomalous, (height, width), regions_of)


def read_mask(path: Path) -> Mask:
    """Read one picture as a mask (H, W), True where any colour is not zero.

    Unlike footage, 16-bit values keep their low byte (a mask may be of 0 and 1), alpha is left out.

    Raises:
        UserError: the file is no picture, or is damaged.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Pillow.open(path) as picture:
            plain = picture.convert("RGB") if picture.mode in WITH_PALETTE_OR_ALPHA else picture
            pixels = np.asarray(plain)  # (H, W) or (H, W, C)
    except Exception as error:  # Pillow raises errors of every kind on damaged files
        raise UserError(f"masks must be readable pictures, {path} is not; restore it") from error
    if pixels.ndim == 3:
        pixels = pixels.max(axis=-1)
    marked: Mask = pixels != 0
    return marked


def _reader(files: list[Path]) -> Callable[[int], Mask]:
    return lambda frame: read_mask(files[frame])


def _clip_of(folder: Path) -> str:
    name = folder.as_posix()
    return name[: -len("_gt")] if is_label_folder(name) else name
