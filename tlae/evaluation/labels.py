"""Which frames are anomalous: label files of public data sets."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError

Labels = npt.NDArray[np.bool_]
Ranges = list[tuple[int, int]]

# TestVideoFile{end+1}.gt_frame = [5:90, 140:200];
CLIP_LINE = re.compile(r"gt_frame\s*=\s*\[([^\]]*)\]")
RANGE = re.compile(r"(\d+)\s*:\s*(\d+)")


def read_ucsd_ranges(path: Path) -> list[Ranges]:
    """Read a UCSD ``.m`` label file.

    Returns:
        For each test clip, in order, its anomalous ranges: 1-based, inclusive.

    Raises:
        UserError: the file is missing or holds no clip.
    """
    if not path.is_file():
        raise UserError(f"labels must be an existing UCSD .m file, got {path}")
    found = CLIP_LINE.findall(path.read_text(errors="replace"))
    if not found:
        raise UserError(f"labels must hold lines like `gt_frame = [5:90];`, {path} holds none")
    return [[(int(first), int(last)) for first, last in RANGE.findall(text)] for text in found]


def frame_labels(ranges: list[Ranges], lengths: dict[str, int]) -> Labels:
    """One label per frame, clips one after the other.

    Args:
        ranges: of each clip, 1-based, inclusive.
        lengths: frames of each clip, in the same order.

    Raises:
        UserError: another number of clips, or a range beyond its clip.
    """
    if len(ranges) != len(lengths):
        raise UserError(f"labels must cover {len(lengths)} clips, got {len(ranges)}")
    parts = []
    for (clip, length), clip_ranges in zip(lengths.items(), ranges, strict=True):
        labels = np.zeros(length, dtype=bool)
        for first, last in clip_ranges:
            if not 1 <= first <= last <= length:
                raise UserError(
                    f"labels of {clip} must lie within 1..{length} (its frames), got {first}:{last}"
                )
            labels[first - 1 : last] = True
        parts.append(labels)
    return np.concatenate(parts)
