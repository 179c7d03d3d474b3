"""Sort described pictures into groups and outliers, and write them with their quality."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.image_sets.charts import index_chart
from tlae.image_sets.cluster_folder import (
    CLUSTER_FILES,
    COMPARED,
    INDICES,
    MAP_FILE,
    group_name,
    write_sheets,
    write_tables,
)
from tlae.image_sets.cluster_map import draw_cluster_map
from tlae.image_sets.cluster_methods import Clustering, method_named
from tlae.image_sets.cluster_settings import ClusterOptions, ClusterSettings
from tlae.image_sets.cluster_time import find_clusters_patiently
from tlae.image_sets.clusters import find_clusters, require_clusterable, rows_seen, without_small
from tlae.image_sets.compared_runs import (
    OtherRun,
    compared_table,
    lined_up,
    read_runs,
    with_consensus,
)
from tlae.image_sets.describe_now import images_of
from tlae.image_sets.descriptor_store import Descriptors, open_descriptors
from tlae.image_sets.judging import (
    Agreement,
    Quality,
    agreement,
    at_the_end,
    best_k,
    parse_k,
    quality,
    stability,
)
from tlae.image_sets.preparation import Preparation, fit_preparation
from tlae.image_sets.settings import ClusterConfig
from tlae.number_words import how_many
from tlae.progress import progress
from tlae.schema import part_of
from tlae.whole_file import replace_folder, require_replaceable

logger = logging.getLogger(__name__)

SHOWN_GROUPS = 20
AGAINST = {"hour": "the hour of day", "day": "the day"}


def cluster(cfg: ClusterConfig) -> None:
    """Cluster the descriptors, judge, write and tell."""
    settings, ks = _settings(cfg)
    described = open_descriptors(cfg.descriptors, cfg.descriptor)
    runs = read_runs(cfg.compare)
    folder = Path(cfg.out or _default_folder(cfg, described)).expanduser()
    with held_folder(folder, "give another out=..."):
        require_replaceable(folder, INDICES)
        _cluster(cfg, settings, ks, described, runs, folder)


def _cluster(
    cfg: ClusterConfig,
    settings: ClusterSettings,
    ks: range | None,
    described: Descriptors,
    runs: list[OtherRun],
    folder: Path,
) -> None:
    started = time.monotonic()
    values, usable = usable_values(described)
    require_clusterable(values, settings if ks is None else replace(settings, k=ks[-1]))
    preparation = fit_preparation(values, cfg.scaler, cfg.pca, whiten=cfg.whiten, seed=cfg.seed)
    prepared = preparation.apply(values)
    _report_sample(settings, len(prepared))
    by_k: dict[int, Quality] = {}
    if ks is not None and len(ks) > 1:
        by_k = _try_each(prepared, settings, ks, cfg.fewest)
        settings = replace(settings, k=best_k(by_k))
    found, small = without_small(find_clusters_patiently(prepared, settings), prepared, cfg.fewest)
    judged = quality(prepared, found.labels, cfg.seed)
    table = _table(described.ids, usable, found)
    alike = stability(prepared, _labels_by(settings), cfg.stability, cfg.seed)
    compared = _compared(table, cfg.against)
    labels = lined_up(table, runs) if runs else None
    if labels is not None and cfg.consensus:
        table = with_consensus(table, labels)
    if labels is not None and len(runs) == 1:
        compared["compare"] = agreement(labels["this"], labels[runs[0].name].rename("label_other"))
    indices = {
        "settings": asdict(settings) | {"scaler": cfg.scaler, "pca": cfg.pca, "whiten": cfg.whiten},
        "descriptor": described.name,
        "pictures": len(table),
        "clustered": len(values),
        "fitted_rows": found.fitted_rows,
        "components": prepared.shape[1],
        "variance_kept": preparation.explained,
        "quality": asdict(judged),
        "by_k": {k: asdict(one) for k, one in by_k.items()},
        "stability": alike,
        "agreement": {name: {"ari": one.ari, "ami": one.ami} for name, one in compared.items()},
    }
    with replace_folder(folder, INDICES, CLUSTER_FILES) as temporary:
        write_tables(temporary, table, indices)
        if by_k and settings.k is not None:
            (temporary / "indices.svg").write_text(index_chart(by_k, settings.k), encoding="utf-8")
        if labels is not None:
            beside = compared_table(labels, judged, runs)
            beside.to_csv(temporary / COMPARED, index_label="run")
        if cfg.map is not None:
            draw_cluster_map(
                temporary / MAP_FILE, prepared, found.labels, cfg.map, cfg.map_dimensions, cfg.seed
            )
        sheets = _draw_sheets(temporary, table, described, cfg)
    if small:
        clusters = how_many(small, "cluster")
        logger.info(f"counted as outliers: {clusters} of fewer than {cfg.fewest} pictures")
    _report(table, judged, preparation, prepared.shape[1], alike)
    _report_compared(compared)
    if labels is not None and len(runs) > 1:
        logger.info(compared_table(labels, judged, runs).to_string(float_format="{:.3f}".format))
    logger.info(f"results in {time.monotonic() - started:.1f} s: {folder}{sheets}")


def usable_values(described: Descriptors) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Finite rows (n, D) and where they stand (N,); says how many are left out."""
    usable = described.usable()
    if usable.all():
        return described.values, usable
    left_out = int((~usable).sum())
    logger.info(
        f"left out: {left_out:,} of {how_many(len(usable), 'picture')}, for descriptors that are "
        "not finite"
    )
    return described.values[usable], usable


def _settings(cfg: ClusterConfig) -> tuple[ClusterSettings, range | None]:
    if cfg.against not in (None, *AGAINST):
        raise UserError(f"against must be hour, day or null, got {cfg.against!r}")
    ks = parse_k(cfg.k)
    if ks is not None and not method_named(cfg.method).needs_k:
        raise UserError(
            f"k must be null for {cfg.method}, which finds the number of clusters itself, got "
            f"{cfg.k}; leave it out or choose method=kmeans"
        )
    options = vars(part_of(cfg, ClusterOptions))
    settings = ClusterSettings(**options, k=None if ks is None else ks[0])
    return settings, ks


def _default_folder(cfg: ClusterConfig, described: Descriptors) -> str:
    store = Path(cfg.descriptors).expanduser().resolve()
    return f"clusters/{store.stem}-{described.name}-{cfg.method}"


def _report_sample(settings: ClusterSettings, rows: int) -> None:
    seen = rows_seen(settings, rows)
    if seen < rows:
        logger.info(
            f"{settings.method} is fitted to {seen:,} of {rows:,} pictures drawn at random, as its "
            "time or memory grows with their square; the others get the label of their nearest "
            "neighbour (most_rows=... changes that)"
        )


def _try_each(
    prepared: npt.NDArray[Any], settings: ClusterSettings, ks: range, fewest: int
) -> dict[int, Quality]:
    by_k = {}
    with progress(f"trying k={ks[0]}..{ks[-1]}", len(ks), "clusterings") as advance:
        for k in ks:
            found = find_clusters(prepared, replace(settings, k=k))
            found, _ = without_small(found, prepared, fewest)
            by_k[k] = quality(prepared, found.labels, settings.seed)
            advance()
    logger.info("   k  Calinski-Harabasz  Davies-Bouldin  silhouette")
    for k in ks:
        one = by_k[k]
        logger.info(
            f"{k:>4}  {one.calinski_harabasz:>17.1f}  {one.davies_bouldin:>14.3f}  "
            f"{one.silhouette:>10.3f}"
        )
    best = best_k(by_k)
    logger.info(f"k={best} has the best mean rank")
    if at_the_end(best, ks):
        wider = f"{max(2, ks[0] // 2)}..{2 * ks[-1]}"
        logger.info(f"  it is the end of the span: a better one may lie beyond, try k={wider}")
    return by_k


def _labels_by(settings: ClusterSettings) -> Callable[[npt.NDArray[Any]], npt.NDArray[np.int64]]:
    return lambda rows: find_clusters(rows, settings).labels


def _table(ids: pd.DataFrame, usable: npt.NDArray[np.bool_], found: Clustering) -> pd.DataFrame:
    """One row per described picture; label and score are missing where it was left out."""
    table = ids.drop(columns=["row", "state"], errors="ignore").copy()
    table["label"] = pd.Series(pd.NA, index=table.index, dtype="Int64")
    table["score"] = np.nan
    table.loc[usable, "label"] = found.labels
    table.loc[usable, "score"] = found.scores
    if found.likely is not None:
        table["likely"] = pd.Series(pd.NA, index=table.index, dtype="Int64")
        table["membership"] = np.nan
        table.loc[usable, "likely"] = found.likely
        table.loc[usable, "membership"] = found.membership
    return table


def _compared(table: pd.DataFrame, against: str | None) -> dict[str, Agreement]:
    labelled = table[table["label"].notna()]
    compared = {}
    if against is not None:
        timed = labelled[labelled["taken_at"].notna()]
        if timed.empty:
            raise UserError(
                f"against={against} needs pictures whose time is known, no taken_at is given"
            )
        times = pd.to_datetime(timed["taken_at"])
        parts = times.dt.hour if against == "hour" else times.dt.strftime("%Y-%m-%d")
        compared[against] = agreement(timed["label"], parts.rename(against))
    return compared


def _draw_sheets(
    folder: Path, table: pd.DataFrame, described: Descriptors, cfg: ClusterConfig
) -> str:
    """Sheets of samples; says where they are, or why there are none."""
    images = cfg.images or images_of(described.facts)
    if cfg.samples == 0 or not images:
        return ""
    tiles = (described.facts.get("settings") or {}).get("tiles_hw")
    tiles_hw = None if tiles is None else (int(tiles[0]), int(tiles[1]))
    try:
        drawn = write_sheets(folder, table, images, cfg.samples, tiles_hw, cfg.seed)
    except UserError as error:  # the pictures moved: the labels are worth keeping
        return f"\nno sheets of samples: {error}"
    return (
        f" ({how_many(drawn, 'sheet')} of samples in sheets/)"
        if drawn
        else "\nno picture can be read"
    )


def _report(
    table: pd.DataFrame,
    judged: Quality,
    preparation: Preparation,
    components: int,
    alike: list[float],
) -> None:
    if preparation.components is not None:
        logger.info(
            f"{how_many(preparation.width, 'dimension')} in {how_many(components, 'component')}, "
            f"with {preparation.explained:.1%} of the variance"
        )
    sizes = table["label"].value_counts().sort_index()
    shown = [f"{group_name(int(str(label)))}: {size:,}" for label, size in sizes.items()]
    more = f", and {len(shown) - SHOWN_GROUPS} more" if len(shown) > SHOWN_GROUPS else ""
    logger.info(
        f"{how_many(judged.clusters, 'cluster')}, {how_many(judged.outliers, 'outlier')} of "
        f"{how_many(len(table), 'picture')}"
    )
    logger.info(f"  {', '.join(shown[:SHOWN_GROUPS])}{more}")
    if judged.clusters < 2:
        logger.info("  fewer than two clusters: no indices; a smaller min_size=... may find more")
    else:
        logger.info(
            f"  Calinski-Harabasz {judged.calinski_harabasz:.1f}, Davies-Bouldin "
            f"{judged.davies_bouldin:.3f}, silhouette {judged.silhouette:.3f}"
        )
    if alike:
        logger.info(
            f"  stability: mean ARI {np.mean(alike):.3f} between random parts "
            f"({min(alike):.3f} to {max(alike):.3f}, {how_many(len(alike), 'pair')})"
        )


def _report_compared(compared: dict[str, Agreement]) -> None:
    for name, one in compared.items():
        with_what = AGAINST.get(name, "the other labels")
        logger.info(f"agreement with {with_what}: AMI {one.ami:.3f}, ARI {one.ari:.3f}")
        logger.info(one.table.to_string(max_rows=30, max_cols=24))
