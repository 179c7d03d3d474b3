"""Other clusterings of the same pictures: read, lined up, compared, brought to a consensus."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tlae.errors import UserError
from tlae.image_sets.cluster_folder import INDICES
from tlae.image_sets.cluster_methods import OUTLIER
from tlae.image_sets.consensus import agreement_table, consensus
from tlae.image_sets.judging import Quality
from tlae.number_words import how_many

SHOWN_ZONES = 8
TORN = 0.8  # pictures with less agreement stand in a zone of disagreement
QUALITY = ("clusters", "outliers", "calinski_harabasz", "davies_bouldin", "silhouette")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OtherRun:
    """A clustering that was made before.

    Attributes:
        name: of its folder or file.
        table: path and label of its pictures.
        quality: indices, as far as they are known.
    """

    name: str
    table: pd.DataFrame
    quality: Mapping[str, Any]


def read_runs(compare: str | None) -> list[OtherRun]:
    """Read the label tables that ``compare`` names: paths or glob patterns between commas.

    Raises:
        UserError: one is missing, or is no table with path and label.
    """
    if compare is None:
        return []
    places: list[str] = []
    for part in compare.split(","):
        pattern = str(Path(part.strip()).expanduser())
        found = sorted(glob(pattern))  # noqa: PTH207 -- absolute patterns too
        usable = [place for place in found if _labels_of(Path(place)).is_file()]
        places += usable or [pattern]
    runs = [_read(Path(place)) for place in dict.fromkeys(places)]
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        return runs
    return [
        OtherRun(place, run.table, run.quality) for place, run in zip(places, runs, strict=False)
    ]


def _labels_of(place: Path) -> Path:
    return place / "labels.parquet" if place.is_dir() else place


def _read(place: Path) -> OtherRun:
    file = _labels_of(place)
    if not file.exists():
        raise UserError(
            f"compare must be folders or tables of labels, {place} holds none; `tlae cluster` "
            "writes them"
        )
    try:
        table = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"compare must be a labels.parquet or labels.csv, got {file} ({reason})"
        ) from error
    if not {"path", "label"} <= set(table.columns):
        raise UserError(
            f"compare must have columns path and label, {file} has {', '.join(table.columns)}"
        )
    known: Mapping[str, Any] = {}
    indices = file.parent / INDICES
    if file.name.startswith("labels.") and indices.is_file():
        try:
            known = dict(json.loads(indices.read_text(encoding="utf-8"))["quality"])
        except (OSError, ValueError, KeyError, TypeError):
            known = {}
    name = place.name if place.is_dir() or not known else file.parent.name
    return OtherRun(name, table, known)


def lined_up(table: pd.DataFrame, runs: list[OtherRun]) -> pd.DataFrame:
    """Labels of all runs, one column each, of pictures that all have labelled.

    Args:
        table: path and label of this run, which is called "this".
        runs: others.

    Raises:
        UserError: no picture is in all of them.
    """
    joined = table[["path", "label"]].rename(columns={"label": "this"})
    for run in runs:
        other = run.table[["path", "label"]].drop_duplicates("path")
        joined = joined.merge(other.rename(columns={"label": run.name}), on="path", how="inner")
    joined = joined.dropna().set_index("path")
    if joined.empty:
        raise UserError("compare must have labels of the same pictures, no path is in all of them")
    return joined.astype("int64")


def compared_table(labels: pd.DataFrame, judged: Quality, runs: list[OtherRun]) -> pd.DataFrame:
    """One row per run: its indices, and its adjusted mutual information with every other."""
    known = {"this": vars(judged)} | {run.name: run.quality for run in runs}
    rows = []
    for name in labels:
        found = labels[name]
        counted = {
            "clusters": found[found != OUTLIER].nunique(),
            "outliers": int((found == OUTLIER).sum()),
        }
        rows.append({key: known[str(name)].get(key, counted.get(key, np.nan)) for key in QUALITY})
    indices = pd.DataFrame(rows, index=list(labels.columns))
    alike = agreement_table({str(name): labels[name] for name in labels})
    return indices.join(alike.add_prefix("AMI with "))


def with_consensus(table: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns consensus, agreement and torn_to; tells of the zones.

    Args:
        table: one row per picture, with ``path``.
        labels: see ``lined_up``.
    """
    found = consensus(labels.to_numpy(np.int64).T)
    columns = pd.DataFrame(
        {"consensus": found.labels, "agreement": found.agreement, "torn_to": found.torn_to},
        index=labels.index,
    )
    for name in ("consensus", "torn_to"):
        columns[name] = columns[name].astype("Int64")
    clusters = int(found.labels.max(initial=OUTLIER)) + 1
    torn = columns[columns["agreement"] < TORN]
    logger.info(
        f"consensus of {how_many(labels.shape[1], 'run')}: {how_many(clusters, 'cluster')}, "
        f"{how_many(int((found.labels == OUTLIER).sum()), 'outlier')}; torn (agreement < "
        f"{TORN:g}): {len(torn):,} of {how_many(len(columns), 'picture')}"
    )
    zones = torn.groupby(["consensus", "torn_to"]).size().sort_values(ascending=False)
    for zone, count in list(zones.items())[:SHOWN_ZONES]:
        one, other = (int(str(name)) for name in list(zone))  # type: ignore[call-overload]
        logger.info(f"  {count:,} {zone_text(one, other)}")
    return table.join(columns, on="path")


def zone_text(one: int, other: int) -> str:
    """Where pictures are torn: between two clusters, or in one and with no other."""
    called = "the outliers" if one == OUTLIER else f"cluster {one}"
    return (
        f"only partly in {called}" if other == OUTLIER else f"between {called} and cluster {other}"
    )
