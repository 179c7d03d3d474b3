"""What is explored: described pictures, their times, and labels and scores where they are known."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.errors import UserError
from tlae.explorer.job_store import Labels
from tlae.image_sets.cluster_methods import OUTLIER
from tlae.image_sets.descriptor_store import Descriptors, open_descriptors

NO_SCORES = ("frame", "row", "label", "likely")  # numbers that count or name
ITEM_KEYS = ["path", "clip", "frame"]  # which item a row of a table means
LABEL_COLUMN = "label"
LABEL_FILE = "labels.parquet"  # in a folder written by `tlae cluster`
SAMPLED_ROWS = 64  # whose values tell one array from another

Column = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Collection:
    """Described pictures and what is known of them.

    Attributes:
        descriptors: N items with their values.
        usable: (N,), False where the values are not finite.
        labels: (N,), cluster of each item, -1 for outliers; all 0 where none were given.
        scores: numeric columns of the label table by name, each (N,), NaN where unknown.
        labels_name: of the label file, "" where none was given.
    """

    descriptors: Descriptors
    usable: npt.NDArray[np.bool_]
    labels: Labels
    scores: dict[str, Column]
    labels_name: str = ""

    @property
    def count(self) -> int:
        """N."""
        return len(self.usable)

    @property
    def paths(self) -> npt.NDArray[np.object_]:
        """(N,), ``path`` of each item."""
        return np.asarray(self.descriptors.ids["path"], object)

    @cached_property
    def item_hashes(self) -> npt.NDArray[np.uint64]:
        """(N,), what tells one item from another."""
        ids = self.descriptors.ids[ITEM_KEYS].astype(str)
        hashes = pd.util.hash_pandas_object(ids, index=False)
        return np.asarray(hashes.to_numpy(np.uint64), np.uint64)

    @cached_property
    def key(self) -> str:
        """Changes with the items, not with the descriptor."""
        return hashlib.sha256(self.item_hashes.tobytes()).hexdigest()[:16]

    @cached_property
    def values_key(self) -> str:
        """Changes with the descriptor: its name, facts, and some of its values."""
        values = self.descriptors.values
        rows = np.linspace(0, self.count - 1, min(self.count, SAMPLED_ROWS)).astype(int)
        facts = json.dumps(self.descriptors.facts, sort_keys=True, default=str)
        text = f"{self.descriptors.name} {facts} {values.shape} {values.dtype}"
        return hashlib.sha256(text.encode() + np.asarray(values[rows]).tobytes()).hexdigest()[:16]

    @cached_property
    def columns(self) -> dict[str, Column]:
        """What points may be coloured by: hour of day, day, position, scores."""
        columns: dict[str, Column] = {}
        times = pd.to_datetime(self.descriptors.ids["taken_at"])
        if times.notna().any():
            hours = times.dt.hour + times.dt.minute / 60 + times.dt.second / 3600
            days = (times - times.min().normalize()) / pd.Timedelta(days=1)
            columns["hour"] = hours.to_numpy(np.float32, na_value=np.nan)
            columns["day"] = days.to_numpy(np.float32, na_value=np.nan)
        columns["position"] = np.arange(self.count, dtype=np.float32)
        return columns | self.scores

    @property
    def notes(self) -> list[str]:
        """What a viewer should know."""
        notes = []
        if unusable := int((~self.usable).sum()):
            notes.append(
                f"{unusable:,} of {self.count:,} items have descriptors that are not finite: they "
                "are not on the map and in no cluster."
            )
        if self.count == 1:
            notes.append("There is one item only: nothing to compare it with.")
        elif self.usable.any() and self._all_equal():
            notes.append("All descriptors are equal: every item lies at one point of the map.")
        return notes

    def item(self, row: int) -> dict[str, object]:
        """What is known of one item."""
        ids = self.descriptors.ids.iloc[row]
        taken_at = pd.to_datetime(ids["taken_at"])
        return {
            "row": row,
            "path": str(ids["path"]),
            "clip": str(ids["clip"]),
            "frame": int(ids["frame"]),
            "taken_at": None if pd.isna(taken_at) else taken_at.isoformat(sep=" "),
            "scores": {
                name: float(column[row])
                for name, column in self.scores.items()
                if np.isfinite(column[row])
            },
        }

    def _all_equal(self) -> bool:
        rows = np.flatnonzero(self.usable)
        values = self.descriptors.values
        first = values[rows[0]]
        parts = (rows[at : at + 8192] for at in range(0, len(rows), 8192))
        return all(bool((values[part] == first).all()) for part in parts)


def open_collection(
    folder: Path, descriptor: str | None = None, labels: Path | None = None
) -> Collection:
    """Open what is explored.

    Args:
        folder: written by ``tlae describe``.
        descriptor: which of its descriptors; None: the only one.
        labels: folder or table written by ``tlae cluster``, for the same items.

    Raises:
        UserError: there is no such store, or the labels are of other items.
    """
    opened = open_descriptors(folder, descriptor)
    if not len(opened.ids):
        raise UserError(f"{folder} must hold at least one described item, got none; describe again")
    usable = opened.usable()
    if labels is None:
        start = np.where(usable, 0, OUTLIER).astype(np.int32)
        return Collection(opened, usable, start, {})
    labels = labels / LABEL_FILE if labels.is_dir() else labels
    table = _matched(_read_labels(labels), opened.ids, labels)
    found = table[LABEL_COLUMN].fillna(OUTLIER).to_numpy(np.int32)
    scores = {
        name: table[name].to_numpy(np.float32, na_value=np.nan)
        for name in table.select_dtypes("number").columns
        if name not in NO_SCORES
    }
    name = labels.parent.name if labels.name == LABEL_FILE else labels.name
    return Collection(opened, usable, found, scores, name)


def _read_labels(labels: Path) -> pd.DataFrame:
    if not labels.exists():
        raise UserError(
            f"labels must be an existing folder or table, got {labels}; `tlae cluster` writes one"
        )
    try:
        csv = labels.suffix.lower() == ".csv"
        table = pd.read_csv(labels) if csv else pd.read_parquet(labels)
    except (OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"labels must be a Parquet or CSV table, got {labels}: {reason}; `tlae cluster` writes "
            "one"
        ) from error
    for name in (*ITEM_KEYS, LABEL_COLUMN):
        if name not in table:
            raise UserError(
                f"labels must have a column {name}, got {labels} with {', '.join(table.columns)}; "
                "`tlae cluster` writes such a table"
            )
    return table


def _matched(table: pd.DataFrame, ids: pd.DataFrame, labels: Path) -> pd.DataFrame:
    """The table's rows in the order of the items."""
    keyed = table.drop_duplicates(ITEM_KEYS, keep="last")
    joined = ids[ITEM_KEYS].merge(keyed, on=ITEM_KEYS, how="left", indicator=True)
    absent = int((joined["_merge"] == "left_only").sum())
    if absent:
        first = joined.loc[joined["_merge"] == "left_only", "path"].iloc[0]
        raise UserError(
            f"labels must be of the described items, got {labels} without {absent:,} of "
            f"{len(ids):,} (first: {first}); cluster these descriptors again"
        )
    return joined.drop(columns="_merge")
