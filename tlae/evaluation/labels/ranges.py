"""Ranges of anomalous frames in a UCSD ``.m`` file."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tlae.errors import UserError
from tlae.evaluation.ground_truth import ClipTruth, Labels
from tlae.evaluation.labels.fit import Truths
from tlae.footage.sources.listing import folder_key
from tlae.number_words import how_many

Ranges = list[tuple[int, int]]
"""First and last frame of each range, counted from 1, both inclusive."""

CLIP_LINE = re.compile(r"[^=]*gt_frame\s*=\s*\[([^\]]*)\]\s*;?\s*")
RANGE = re.compile(r"(\d+)(?:\s*:\s*(\d+))?")  # 5:90, or a single 5


def read_ucsd(path: Path, lengths: Mapping[str, int]) -> Truths:
    """Read frame labels of the UCSD pedestrian sets (Mahadevan et al., CVPR 2010).

    The file names no clips: its n-th line belongs to the n-th clip in natural order of names.

    Args:
        path: a ``.m`` file, see ``read_ucsd_ranges``.
        lengths: frames of each clip that has scores.

    Raises:
        UserError: another number of clips, a range beyond its clip, or a file of another kind.
    """
    ranges = read_ucsd_ranges(path)
    if len(ranges) != len(lengths):
        raise UserError(
            f"labels must cover the clips that have scores, {path} has "
            f"{how_many(len(ranges), 'clip')}, scores "
            f"have {len(lengths)}; it names no clips, so score all of them and nothing else"
        )
    clips = sorted(lengths, key=folder_key)
    return {
        clip: ClipTruth(clip, _labels(clip, clip_ranges, lengths[clip], path))
        for clip, clip_ranges in zip(clips, ranges, strict=True)
    }


def read_ucsd_ranges(path: Path) -> list[Ranges]:
    """Read lines like ``TestVideoFile{end+1}.gt_frame = [5:90, 140:200];``.

    Empty brackets stand for a normal clip; what follows a ``%`` is a comment.

    Returns:
        The ranges of each clip, in the order of the file.

    Raises:
        UserError: the file holds no such line, or one that is not a list of ranges.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = []
    for number, line in enumerate(lines, start=1):
        code = line.partition("%")[0]
        if "gt_frame" in code:
            found.append(_ranges(code, f"line {number} of {path}"))
    if not found:
        raise UserError(f"labels must hold lines like `gt_frame = [5:90];`, {path} holds none")
    return found


def _ranges(code: str, where: str) -> Ranges:
    """Ranges of one line; anything else in it is refused, not skipped."""
    listed = CLIP_LINE.fullmatch(code)
    if listed is None or RANGE.sub("", listed[1]).strip(" \t,;"):
        raise UserError(f"{where} must read like `gt_frame = [5:90, 140:200];`, got {code.strip()}")
    return [(int(first), int(last or first)) for first, last in RANGE.findall(listed[1])]


def _labels(clip: str, ranges: Ranges, length: int, path: Path) -> Labels:
    """Labels (length,) of one clip."""
    labels = np.zeros(length, dtype=bool)
    for first, last in ranges:
        if not 1 <= first <= last <= length:
            raise UserError(
                f"labels of {clip} must lie within frames 1 to {length:,} (all it has), got "
                f"{first}:{last} in {path}; label the footage that was scored"
            )
        labels[first - 1 : last] = True
    return labels
