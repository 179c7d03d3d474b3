"""Find events anew in what is already scored: other budgets, zones or rules; no net is run."""

import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tlae.budget import Budget
from tlae.config_scores import EventsConfig
from tlae.errors import FootageError, UserError
from tlae.footage.clock import UNKNOWN
from tlae.footage.frames import Clip
from tlae.footage.sources import Footage
from tlae.footage.windows import median_interval_s, segments
from tlae.footage.zones import Mask, Zones, read_zones
from tlae.schema import part_of
from tlae.scorable import Scorable
from tlae.scoring.answers import FIELD, Answers, answers_path, read_answers, with_answers
from tlae.scoring.areas import (
    Area,
    calibration_of,
    modes_of,
    score_rows,
    watched_of,
    whole_area,
    worst_area,
    zone_area,
    zone_masks,
    zone_scores,
)
from tlae.scoring.calibrate import Calibration, doubts, threshold_of
from tlae.scoring.coco import coco_of
from tlae.scoring.event_rule import EventRule
from tlae.scoring.event_search import find_events
from tlae.scoring.events import Event, accept_standing, in_alarm, seen_runs
from tlae.scoring.interest import ranked
from tlae.scoring.results import COCO, Scores, Zoned, read_results, write_tables
from tlae.scoring.rule import ScoringRule
from tlae.scoring.smooth_time import smooth_runs
from tlae.scoring.stored_maps import StoredMaps
from tlae.table import Table, highest
from tlae.whole_file import write_json
from tlae.workflows.answers import model_of
from tlae.workflows.named_footage import open_saved
from tlae.workflows.thing_pictures import tell_kinds

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EventsReport:
    """What was found.

    Attributes:
        scores: with their new alarms and events.
        areas: what was watched: the whole picture, or each zone.
    """

    scores: Scores
    areas: list[Area]


@dataclass(frozen=True, eq=False)
class _Scored:
    """A scored footage with what its scores mean.

    Attributes:
        results: tables and maps.
        stored: the maps, and how they become scores.
        calibration: of the whole picture by the model; None: void under this rule.
        model: that scored it.
    """

    results: Scores
    stored: StoredMaps
    calibration: Calibration | None
    model: Scorable


def find_anew(cfg: EventsConfig, footage: Footage | None = None) -> EventsReport:
    """Find events in a scores folder that no other process writes into, and write them there.

    Args:
        cfg: settings of `tlae events`, the folder among them.
        footage: with the pictures, where it is in memory; None: where the scores say.

    Raises:
        UserError: the folder, its model or the zones are not what they must be.
    """
    rule = part_of(cfg, EventRule)
    zones_file = Path(cfg.zones).expanduser() if cfg.zones else None
    zones = read_zones(zones_file) if zones_file else Zones()
    scored = _open(Path(cfg.scores).expanduser(), cfg.model_file)
    normal = None
    if cfg.normal_scores:
        normal = _open(Path(cfg.normal_scores).expanduser(), cfg.model_file)
    if normal:
        _require_alike(scored, normal)
    answers = _answers(cfg, scored.model)
    budget = cfg.scoring or Budget.of(scored.results.summary.get("alarm", {}))
    _require_pace(scored, zones, budget)
    areas = _areas(scored, normal, zones, budget, rule)
    table = scored.results.columns
    found_in = scored.stored, rule, median_interval_s(table), scored.model.gap_s
    areas = accept_standing(table, areas, *found_in)
    table, zoned = _table(scored, areas, zones_file)
    events = find_events(table, areas, *found_in)
    events = tell_kinds(events, table, _clips(cfg, scored.results, events, footage))
    events = ranked(with_answers(events, table, answers))
    folder = scored.results.folder
    summary = _summary(scored, table, areas, budget, rule) | {FIELD: answers.facts(events)}
    write_tables(folder, table, events, zoned)
    write_json(folder / "summary.json", summary)
    if cfg.coco:
        write_json(folder / COCO, coco_of(events, table))
    return EventsReport(read_results(folder), areas)


def _open(folder: Path, model_file: str | None) -> _Scored:
    results = read_results(folder)
    model, rule = model_of(results, model_file), results.rule
    calibration = None
    if results.summary.get("calibrated_on_frames") is not None:
        calibration = model.calibration.smoothed(rule.smooth_frames, causal=rule.causal)
    runs = seen_runs(results.columns, segments(results.columns, model.gap_s))
    return _Scored(results, StoredMaps(results.stored_maps, runs, rule), calibration, model)


def _clips(
    cfg: EventsConfig, results: Scores, events: list[Event], footage: Footage | None
) -> dict[str, Clip]:
    """Clips by name, where pictures tell more of some events; none where the footage has gone."""
    if not any(event.what for event in events):
        return {}
    try:
        if footage is None:
            footage = open_saved(results.summary["footage"], cfg.footage)
    except FootageError as error:
        logger.warning(f"note: kinds of things are determined without pictures: {error}")
        return {}
    clips = {clip.name: clip for clip in footage.clips}
    if missing := sorted({event.clip for event in events} - set(clips)):
        logger.warning(
            f"note: kinds of things are determined without pictures in {', '.join(missing)[:100]}, "
            "which the footage lacks"
        )
    return clips


def _answers(cfg: EventsConfig, model: Scorable) -> Answers:
    assert model.file is not None
    return read_answers(model.file) if cfg.answers else Answers(answers_path(model.file))


def _require_pace(scored: _Scored, zones: Zones, budget: Budget) -> None:
    """Refuse alarms a day for frames of which nobody knows how far apart they are."""
    summary = scored.results.summary
    budgets = [zone.budget for zone in zones.zones.values()] + [budget]
    a_day = any(one.alarms_per_day is not None and one.threshold is None for one in budgets)
    if a_day and UNKNOWN in summary.get("clock", {}) and not summary["footage"].get("interval_s"):
        raise UserError(
            "scoring.alarms_per_day needs the time between frames, the scored footage has none; "
            "score it again with footage.interval_s=SECONDS"
        )


def _require_alike(scored: _Scored, normal: _Scored) -> None:
    """Scores are comparable only if the same net made them by the same rule."""
    job, job_normal = scored.results.job, normal.results.job
    other = [key for key in ("model", "rule", "precision") if job.get(key) != job_normal.get(key)]
    if other:
        raise UserError(
            f"normal_scores={normal.results.folder} must be scored as {scored.results.folder} was, "
            f"it has another {' and '.join(other)}; score the normal footage with the same model"
        )


def _areas(
    scored: _Scored,
    normal: _Scored | None,
    zones: Zones,
    budget: Budget,
    rule: EventRule,
) -> list[Area]:
    """The zones, or the whole picture where there are none."""
    watched = watched_of(zones, scored.stored, scored.results.watched())
    if not zones.zones:
        return [_whole(scored, normal, watched, budget, rule, changed=bool(zones.ignore))]
    everywhere = np.full(scored.stored.size_hw, True) if watched is None else watched
    areas = []
    for name, inside in zone_masks(zones, scored.stored.size_hw, everywhere).items():
        zone = zones.zones[name]
        calibration = scored.calibration
        if normal:
            calibration = _calibrated_on(normal, inside, scored.stored.rule)
        elif scored.stored.rule.reduction == "mean" and (zone.budget or budget).threshold is None:
            raise UserError(
                f"zone {name} needs a threshold of its own or normal_scores=...: the mean of a "
                "zone may lie above that of the whole picture, for which the model is calibrated"
            )
        areas.append(
            zone_area(
                name,
                zone,
                inside,
                scored.stored,
                modes_of(scored.results.columns),
                calibration,
                budget,
                rule,
            )
        )
    return areas


def _whole(
    scored: _Scored,
    normal: _Scored | None,
    watched: Mask | None,
    budget: Budget,
    rule: EventRule,
    *,
    changed: bool,
) -> Area:
    """The whole picture; its scores are those of the table unless more is ignored than then."""
    stored, calibration = scored.stored, scored.calibration
    table = scored.results.columns
    if changed:
        raw = stored.raw(watched)
    else:
        smooth = stored.rule.smooth_frames, stored.rule.causal
        raw = smooth_runs(table["instant"], stored.runs, smooth[0], causal=smooth[1])
    if normal:
        calibration = _calibrated_on(normal, watched, stored.rule)
    score = score_rows(raw, modes_of(table), calibration)
    threshold = threshold_of(calibration, budget).of(modes_of(table))
    judged = table.assign(raw=raw, score=score, threshold=threshold)
    return whole_area(judged, calibration, rule, watched)


def _calibrated_on(normal: _Scored, inside: Mask | None, rule: ScoringRule) -> Calibration:
    """Calibration by normal footage, smoothed in time as the scores that it is for."""
    table = normal.results.columns
    created = str(normal.results.summary.get("created", ""))
    stored = replace(normal.stored, rule=rule)
    return calibration_of(
        stored.raw(inside), modes_of(table), stored, median_interval_s(table), created
    )


def _table(
    scored: _Scored, areas: list[Area], zones_file: Path | None
) -> tuple[Table, Zoned | None]:
    """The score table of what is watched, the worst area of each frame; and each zone's scores."""
    table = scored.results.columns
    alarms = [in_alarm(table, area.counted, area.threshold) for area in areas]
    worst = worst_area(areas)
    columns = {
        name: np.choose(worst, [getattr(area, name)[:] for area in areas])
        for name in ("raw", "score", "threshold")
    }
    table = table.assign(**columns, alarm=np.logical_or.reduce(alarms))
    if zones_file is None:
        return table, None
    named = areas if areas[0].name is not None else []
    return table, Zoned(
        zones_file.read_text(encoding="utf-8"), zone_scores(named, alarms[: len(named)])
    )


def _summary(
    scored: _Scored,
    table: Table,
    areas: list[Area],
    budget: Budget,
    rule: EventRule,
) -> dict[str, Any]:
    lowest = min(float(area.threshold[:].min()) for area in areas)
    calibration = areas[0].calibration if areas[0].name is None else None
    return scored.results.summary | {
        "threshold": lowest if np.isfinite(lowest) else None,
        "alarm": budget.given(),
        **doubts(calibration, budget, table),
        "alarm_frames": int(table["alarm"].sum()),
        "raw_highest": highest(table["raw"]),
        "events": asdict(rule),
    }
