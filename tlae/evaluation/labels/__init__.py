"""Label files of public data sets and of annotation tools, as ground truth of scored footage."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tlae.errors import UserError
from tlae.evaluation.ground_truth import ClipTruth, GroundTruth
from tlae.evaluation.labels.boxes import read_boxes
from tlae.evaluation.labels.files import files_of
from tlae.evaluation.labels.fit import Truths, check_clips
from tlae.evaluation.labels.masks import find_mask_folders, read_mask_folders
from tlae.evaluation.labels.mat_files import read_mat_files
from tlae.evaluation.labels.ranges import read_ucsd
from tlae.evaluation.labels.tables import read_table
from tlae.number_words import how_many

NORMAL = "normal"
READERS = {".m": read_ucsd, ".csv": read_table, ".json": read_boxes}


def open_labels(spec: str, lengths: Mapping[str, int]) -> GroundTruth:
    """Read what is anomalous in scored footage, from any of the known kinds of labels.

    Args:
        spec: one of

            - ``normal``: every frame is normal;
            - a UCSD ``.m`` file of ranges, see ``ranges``;
            - a ``.csv`` of ranges or of frames, see ``tables``;
            - a ``.json`` of boxes in the manner of COCO, see ``boxes``;
            - a folder with a UCSD ``.m`` file, ``<clip>_gt`` folders of masks, or both; a folder of
              mask folders named by clip, see ``masks``; a folder of ``.mat`` files as of Avenue,
              see ``mat_files``. With ranges and masks, ranges say when and masks say where.
        lengths: frames of each clip of the score table, in its order.

    Returns:
        Every clip of ``lengths``, in its order.

    Raises:
        UserError: no such labels, or they do not fit the clips and frames of the scores.
    """
    if spec == NORMAL:
        truths = {clip: ClipTruth(clip, np.zeros(n, bool)) for clip, n in lengths.items()}
        return GroundTruth(tuple(truths.values()))
    path = Path(spec).expanduser()
    if path.is_dir():
        truths, notes = _open_folder(path, lengths)
    elif not path.is_file():
        raise UserError(f"labels must be `{NORMAL}`, a file or a folder, got {spec}: no such file")
    elif path.suffix.lower() not in READERS:
        raise UserError(
            f"labels in a file must be one of {', '.join(READERS)}, got {path}; masks are given as "
            "their folder"
        )
    else:
        truths, notes = READERS[path.suffix.lower()](path, lengths), []
    return GroundTruth(tuple(truths[clip] for clip in lengths), tuple(notes))


def _open_folder(folder: Path, lengths: Mapping[str, int]) -> tuple[Truths, list[str]]:
    """Ground truth from a folder of ranges, masks or both, and what a reader must know."""
    ranges = _ranges_in(folder, lengths)
    masks = _masks_in(folder, lengths, beside_footage=ranges is not None)
    if ranges is None:
        if not masks:
            raise UserError(
                "a folder of labels must hold a .m file, .mat files, <clip>_gt folders of masks or "
                f"mask folders named by clip, {folder} holds none of them"
            )
        check_clips(masks, lengths, folder)
        return masks, []
    together = {
        clip: replace(masks[clip], anomalous=truth.anomalous) if clip in masks else truth
        for clip, truth in ranges.items()
    }
    return together, _notes(ranges, masks)


def _ranges_in(folder: Path, lengths: Mapping[str, int]) -> Truths | None:
    """Labels by the one ``.m`` file of a folder; None where there is none."""
    files = files_of(folder, {".m"})
    if len(files) > 1:
        names = " and ".join(path.name for path in files)
        raise UserError(
            f"a folder of labels must hold one .m file, {folder} holds {names}; keep the right one"
        )
    return read_ucsd(files[0], lengths) if files else None


def _masks_in(folder: Path, lengths: Mapping[str, int], beside_footage: bool) -> Truths:
    """Labels by the masks of a folder, for as many clips as have masks."""
    if files := files_of(folder, {".mat"}):
        return read_mat_files(files, lengths, folder)
    return read_mask_folders(find_mask_folders(folder, beside_footage), lengths, folder)


def _notes(ranges: Truths, masks: Truths) -> list[str]:
    """How far masks reach, and whether they say the same as the ranges."""
    if not masks:
        return []
    partial = len(masks) < len(ranges)
    notes = [f"masks for {len(masks)} of {how_many(len(ranges), 'clip')}"] if partial else []
    agree = True
    for clip, truth in masks.items():
        frames = np.flatnonzero(truth.anomalous != ranges[clip].anomalous)
        if len(frames):
            agree = False
            notes.append(
                f"masks and ranges disagree on {how_many(len(frames), 'frame')} of {clip} "
                f"(first: {frames[0]}, counted from 0): the ranges decide"
            )
    if agree:
        compared = sum(len(truth.anomalous) for truth in masks.values())
        notes.append(
            f"masks and ranges agree on all {compared:,} frames" + partial * " that have masks"
        )
    return notes
