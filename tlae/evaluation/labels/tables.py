"""Frame labels in a CSV table: ranges, or one row per frame. Frames count from 0."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tlae.errors import UserError
from tlae.evaluation.ground_truth import ClipTruth
from tlae.evaluation.labels.fit import Truths, check_clips, check_count

RANGE_COLUMNS = ("clip", "first", "last")
FRAME_COLUMNS = ("clip", "frame", "label")


@dataclass(frozen=True)
class _Row:
    """One line of the table; ``where`` names it in messages."""

    where: str
    values: Mapping[str, str]

    def whole(self, column: str) -> int:
        """The value of a column as a whole number."""
        text = self.values[column]
        try:
            return int(text)
        except ValueError as error:
            raise UserError(
                f"{column} must be a whole number, got {text!r} in {self.where}"
            ) from error


def read_table(path: Path, lengths: Mapping[str, int]) -> Truths:
    """Read a table of ranges or of frames, recognised by its columns; it may have others too.

    ``clip,first,last``: anomalous frames, counted from 0, both ends inclusive, in as many rows as
    needed; a normal clip is named by a row with both left empty. ``clip,frame,label``: every frame
    of every clip once, label 1 if anomalous, else 0.

    Args:
        path: a CSV file with a header, comma-separated, UTF-8.
        lengths: frames of each clip that has scores.

    Raises:
        UserError: other columns, clips or frames than the scores have, or a value of another kind.
    """
    rows, columns = _read(path)
    if not (is_ranges := set(RANGE_COLUMNS) <= columns) and not set(FRAME_COLUMNS) <= columns:
        raise UserError(
            f"labels in a CSV must have the columns {','.join(RANGE_COLUMNS)} or "
            f"{','.join(FRAME_COLUMNS)}, {path} has {','.join(sorted(columns)) or 'none'}"
        )
    check_clips(dict.fromkeys(row.values["clip"] for row in rows), lengths, path)
    return _from_ranges(rows, lengths) if is_ranges else _from_frames(rows, lengths, path)


def _from_ranges(rows: list[_Row], lengths: Mapping[str, int]) -> Truths:
    labels = {clip: np.zeros(length, dtype=bool) for clip, length in lengths.items()}
    for row in rows:
        clip = row.values["clip"]
        if not row.values["first"] and not row.values["last"]:
            continue  # names a normal clip
        first, last = row.whole("first"), row.whole("last")
        if not 0 <= first <= last < lengths[clip]:
            raise UserError(
                f"labels of {clip} must lie within frames 0 to {lengths[clip] - 1:,} (counted from "
                f"0), got {first} to {last} in {row.where}"
            )
        labels[clip][first : last + 1] = True
    return {clip: ClipTruth(clip, anomalous) for clip, anomalous in labels.items()}


def _from_frames(rows: list[_Row], lengths: Mapping[str, int], path: Path) -> Truths:
    found: dict[str, dict[int, bool]] = defaultdict(dict)
    for row in rows:
        clip, frame = row.values["clip"], row.whole("frame")
        if frame in found[clip]:
            raise UserError(
                f"every frame must have one label, {row.where} repeats {frame} of {clip}"
            )
        if row.values["label"] not in ("0", "1"):
            raise UserError(f"label must be 0 or 1, got {row.values['label']!r} in {row.where}")
        found[clip][frame] = row.values["label"] == "1"
    truths = {}
    for clip, labels in found.items():
        check_count(clip, len(labels), lengths[clip], path)
        frames = range(lengths[clip])
        if beyond := labels.keys() - set(frames):
            raise UserError(
                f"frames of {clip} must be 0 to {frames[-1]:,} (counted from 0), "
                f"{path} has {min(beyond)}"
            )
        truths[clip] = ClipTruth(clip, np.array([labels[frame] for frame in frames], dtype=bool))
    return truths


def _read(path: Path) -> tuple[list[_Row], set[str]]:
    """Rows as text without blanks around it, and the names of the columns."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            columns = reader.fieldnames or ()  # read here: an empty file has none
            rows = [
                _Row(
                    f"line {reader.line_num} of {path}",
                    {name.strip(): value.strip() for name, value in row.items() if name},
                )
                for row in reader
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"labels in a CSV must be UTF-8 text, {path} is not: {error}") from error
    return rows, {name.strip() for name in columns}
