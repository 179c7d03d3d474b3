"""`tlae benchmark planted=true`: planted time-lapse, a net and the baselines, scored and measured.

Each run keeps its figures in scores/<run>/planted/figures.csv, and in objects.csv which objects it
found (found_10: at ten things a day). The alarms of its results are those at ten things a day.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from tlae.config_parts import ScoringConfig
from tlae.errors import refusing_bad_values
from tlae.evaluation.ground_truth import Mask, TruthRegion, regions_in
from tlae.evaluation.labels.masks import read_mask
from tlae.evaluation.pixel_metrics import PixelPool
from tlae.folder_lock import held_folder
from tlae.footage.sources import Footage
from tlae.lab.benchmark.runs import (
    Baseline,
    benchmark_folder,
    is_measured,
    run_all,
    score_run,
    train_run,
)
from tlae.lab.benchmark.stills_maps import OBJECTS_FOUND
from tlae.lab.benchmark.stills_table import write_stills_benchmark
from tlae.lab.nuisances import KINDS
from tlae.lab.planting.stills import (
    CALIBRATION,
    CLEAN,
    OBJECTS,
    PLANTED,
    StillSummary,
    plant_stills,
)
from tlae.lab.settings import BenchmarkConfig
from tlae.lab.still_figures.figures import (
    BUDGETS,
    PRIMARY_BUDGET,
    Clips,
    is_primary,
    still_figures,
)
from tlae.lab.still_figures.shown import StillClip, thresholds_for_things
from tlae.lab.still_figures.sightings import Map, look_at
from tlae.model_file import Model, load_model
from tlae.number_words import how_many
from tlae.progress import progress
from tlae.scoring.results import Scores, read_results
from tlae.whole_file import whole_file
from tlae.workflows.named_footage import open_named

logger = logging.getLogger(__name__)

CLIPS = Clips(CALIBRATION, CLEAN, KINDS)
MOST_ALIKE = "tlae.models.most_alike.MostAlike"
BASELINES = (  # under the scoring rule of the net, for stills say nothing of motion
    Baseline("nearest_in_time", {"_target_": "tlae.models.untrained.CopyLast"}, {}),
    Baseline("running_median", {"_target_": "tlae.models.untrained.RunningMedian"}, {}),
    Baseline("most_alike", {"_target_": MOST_ALIKE}, {}),
    Baseline("most_alike_light", {"_target_": MOST_ALIKE, "local_light": True}, {}),
)


def run(cfg: BenchmarkConfig) -> None:
    """Plant, then one net beside the baselines."""
    source = open_named(cfg.footage)
    folder = benchmark_folder(cfg, source.name)
    with held_folder(folder, "give another name=..."):
        _benchmark(cfg, source, folder)


def _benchmark(cfg: BenchmarkConfig, source: Footage, folder: Path) -> None:
    """Work in a folder that no other process writes into."""
    with refusing_bad_values():
        stills = plant_stills(source, folder / "footage", cfg.stills)
    _report(stills)
    footage = replace(cfg.footage, path=str(stills.folder), time_source="auto", time_pattern=None)
    planted = replace(cfg, footage=footage, train_split="Train", test_split="Test")
    run_all(
        planted,
        BASELINES,
        lambda name: figures_file(folder, name).is_file(),
        lambda settings, name: _run(settings, folder, name),
    )
    write_stills_benchmark(folder, [baseline.run for baseline in BASELINES], stills)


def figures_file(folder: Path, name: str) -> Path:
    """Where the figures of a run lie."""
    return folder / "scores" / name / "planted" / "figures.csv"


def _report(stills: StillSummary) -> None:
    parts = ", ".join(
        f"{part} on {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''} "
        f"({how_many(stills.frames[part], 'frame')})"
        for part, days in stills.days.items()
    )
    logger.info(f"{parts}; {how_many(stills.objects, 'planted object')}")
    for reason, count in stills.left_out.items():
        logger.info(f"  left out: {how_many(count, 'frame')}, {reason}")


def _run(cfg: BenchmarkConfig, folder: Path, name: str) -> None:
    """Train, score and measure under that name; what is done is not done again."""
    model = train_run(cfg, folder, name)
    if is_measured(figures_file(folder, name), model):
        return
    scores = score_run(cfg, folder, name, keep_rebuilt=False)
    loaded = load_model(model)
    calibration = StillClip.of(read_results(scores), CALIBRATION, loaded.calibration)
    thresholds = thresholds_for_things(calibration, BUDGETS)
    alarm = ScoringConfig(threshold=thresholds[PRIMARY_BUDGET])
    score_run(cfg, folder, name, keep_rebuilt=False, scoring=alarm)
    results = read_results(scores)
    figures, objects = measured(results, loaded, Path(cfg.footage.path), thresholds)
    place = figures_file(folder, name)
    place.parent.mkdir(exist_ok=True)
    for path, table in ((place.with_name(OBJECTS_FOUND), objects), (place, figures)):
        with whole_file(path) as temporary:
            table.to_csv(temporary, index=False)
    logger.info(f"measured: {place}\n")


def measured(
    results: Scores, model: Model, footage: Path, thresholds: Mapping[int, float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All figures of a scored time-lapse, and its objects with whether they were found.

    Args:
        results: of its test part.
        model: that scored it.
        footage: folder of planted stills.
        thresholds: of each budget of things a day, in raw units.
    """
    objects = pd.read_csv(footage / OBJECTS)
    rows = Rows(results.table)
    masks = Masks(footage / "Test")

    def map_of(clip: str, frame: int) -> Map:
        return results.map_of(rows.of(clip, frame))

    @lru_cache(maxsize=8)
    def clip_of(name: str) -> StillClip:
        return StillClip.of(results, name, model.calibration)

    sightings = look_at(objects, map_of, CLEAN, masks.of)
    figures, found = still_figures(clip_of, objects, sightings, CLIPS, thresholds)
    objects = objects.join(found)
    pixels = _pixels(results, objects, rows, masks)
    return pd.concat([figures, pixels], ignore_index=True), objects


class Rows:
    """Rows of a score table by clip and frame."""

    def __init__(self, table: pd.DataFrame) -> None:
        clips = table["clip"].to_numpy()
        self._first = {clip: int(np.argmax(clips == clip)) for clip in pd.unique(clips)}

    def of(self, clip: str, frame: int) -> int:
        """Row of a frame (0-based) of a clip."""
        return self._first[clip] + frame


class Masks:
    """Masks of planted objects, (H, W) bool."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = lru_cache(maxsize=None)(self._list)

    def of(self, clip: str, frame: int) -> Mask:
        """Mask of a frame (0-based) of a clip."""
        return read_mask(self._files(clip)[frame])

    def _list(self, clip: str) -> list[Path]:
        return sorted((self._folder / f"{clip}_gt").iterdir())


def _pixels(results: Scores, objects: pd.DataFrame, rows: Rows, masks: Masks) -> pd.DataFrame:
    """Pixel AUROC and AUPRO of all objects, and of those that must be found.

    For the latter, frames with lesser objects are passed by.
    """
    pools = {"all": PixelPool(), "primary": PixelPool()}
    primary = is_primary(objects)
    table = results.table
    planted = table["clip"].str.startswith(PLANTED) & table["raw"].notna()
    spans = objects.loc[~primary, ["clip", "first_frame", "last_frame"]]
    lesser = {
        rows.of(clip, frame)
        for clip, first, last in zip(*(spans[name] for name in spans), strict=True)
        for frame in range(first, last + 1)
    }
    with progress("measuring maps", int(planted.sum())) as advance:
        for row, clip, frame in table.loc[planted, ["clip", "frame"]].itertuples():
            regions, anomaly_map = _truth_and_map(results, masks, row, str(clip), int(frame))
            pools["all"].add(anomaly_map, regions)
            if row not in lesser:
                pools["primary"].add(anomaly_map, regions)
            advance()
    return pd.DataFrame(
        list(_measures(pools, {"all": len(objects), "primary": int(primary.sum())}))
    )


def _truth_and_map(
    results: Scores, masks: Masks, row: int, clip: str, frame: int
) -> tuple[list[TruthRegion], np.ndarray]:
    """Regions of a frame, and its map in the size of the mask."""
    mask = masks.of(clip, frame)
    anomaly_map = results.map_of(row)
    height, width = mask.shape
    large = cv2.resize(anomaly_map, (width, height), interpolation=cv2.INTER_LINEAR)
    return regions_in(mask), large


def _measures(pools: dict[str, PixelPool], counts: dict[str, int]) -> Iterator[dict[str, object]]:
    for group, pool in pools.items():
        for measure in pool.result():
            yield {
                "figure": measure.key,
                "group": group,
                "value": np.nan if measure.value is None else measure.value,
                "count": counts[group],
            }
