"""Areas: the whole picture or each zone, with its own score and threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.footage.zones import Mask, Zone, Zones, covered
from tlae.lazy_column import Values
from tlae.scoring.calibrate import Calibration, Modes, threshold_of
from tlae.scoring.event_rule import EventRule, Flags, Floats
from tlae.scoring.smooth_time import is_settled
from tlae.scoring.stored_maps import Mute, StoredMaps
from tlae.table import Table


@dataclass(frozen=True, eq=False)
class Area:
    """What is watched as one.

    Attributes:
        name: of the zone; None: the whole picture.
        inside: (h, w), True where changes count; None: everywhere.
        raw: (n,), score of each row, NaN where unreadable; this and what follows in memory or not.
        score: (n,), calibrated score, NaN where not known.
        threshold: (n,), alarm threshold of each row, raw units.
        low: (n,), level above which an event goes on.
        accepted: places in it that are declared normal for a time.
        raw_without: (n,), score without them; None: as ``raw``.
        calibration: of normal footage; None: not known.
    """

    name: str | None
    inside: Mask | None
    raw: Values
    score: Values
    threshold: Values
    low: Values
    accepted: tuple[Mute, ...] = ()
    raw_without: Floats | None = None
    calibration: Calibration | None = None

    @property
    def counted(self) -> Values:
        """(n,), the score that raises alarms."""
        return self.raw if self.raw_without is None else self.raw_without

    def score_of(self, raw: float, mode: str) -> float:
        """Calibrated score of a raw one in a camera mode; NaN: not known."""
        return score_of(self.calibration, raw, mode)


def whole_area(
    table: Table,
    calibration: Calibration | None,
    rule: EventRule,
    inside: Mask | None = None,
) -> Area:
    """The whole picture, as the score table has it.

    Args:
        table: score table.
        calibration: of normal footage; None: not known.
        rule: what makes one event.
        inside: (h, w), True where changes count; None: everywhere.
    """
    used = table.only([name for name in ("threshold", "mode") if name in table])
    low = used.derived(
        float, lambda piece: rule.low_level(piece["threshold"], modes_of(piece), calibration)
    )
    raw, score, threshold = (table.column(name) for name in ("raw", "score", "threshold"))
    return Area(None, inside, raw, score, threshold, low, calibration=calibration)


def zone_masks(zones: Zones, size_hw: tuple[int, int], watched: Mask) -> dict[str, Mask]:
    """Where changes count in each zone.

    Args:
        zones: what to watch and to ignore.
        size_hw: of the stored maps.
        watched: (h, w), False where nothing counts.

    Raises:
        UserError: nothing of a zone counts.
    """
    masks = {}
    for name, zone in zones.zones.items():
        masks[name] = covered(zone.points, size_hw) & watched
        if not masks[name].any():
            raise UserError(
                f"zone {name} must cover a watched pixel of the net's picture "
                f"({size_hw[0]}x{size_hw[1]}), all of it is ignored; move or enlarge it"
            )
    return masks


def watched_of(zones: Zones, stored: StoredMaps, model_watched: Mask | None) -> Mask | None:
    """Where changes count, (h, w); None: everywhere.

    A stored map mixes errors within the smoothing kernel, so what lies that near to a place that
    the zones ignore, and the model did not, is ignored with it.

    Raises:
        UserError: nothing is left to watch.
    """
    watched = np.full(stored.size_hw, True) if model_watched is None else model_watched
    newly = watched & ~zones.watched(stored.size_hw)
    if newly.any():
        watched = watched & ~stored.widened(newly)
    if not watched.any():
        raise UserError("zones must leave something to watch, everything is ignored")
    return None if watched.all() else watched


def calibration_of(
    raw: Floats, modes: Modes, stored: StoredMaps, interval_s: float, created: str
) -> Calibration:
    """Calibration by scores of normal footage.

    Args:
        raw: (n,), scores smoothed in time, NaN where unreadable.
        modes: (n,), camera mode of each row.
        stored: maps of that footage.
        interval_s: median time between its frames [s].
        created: date of the scoring, ISO 8601.
    """
    smooth = stored.rule.smooth_frames, stored.rule.causal
    runs = [run[is_settled(len(run), smooth[0], causal=smooth[1])] for run in stored.runs]
    runs = runs if any(len(run) for run in runs) else stored.runs
    number = np.concatenate([np.full(len(run), i) for i, run in enumerate(runs)])
    rows = np.concatenate(runs)
    return Calibration(raw[rows], number, interval_s, created, modes[rows])


def zone_area(
    name: str,
    zone: Zone,
    inside: Mask,
    stored: StoredMaps,
    modes: Modes,
    calibration: Calibration | None,
    budget: Budget,
    rule: EventRule,
) -> Area:
    """One zone with its score and its threshold.

    Args:
        name: of the zone.
        zone: its place and alarm settings.
        inside: (h, w), where changes count.
        stored: maps.
        modes: (n,), camera mode of each row.
        calibration: of the zone on normal footage, or of the whole picture; None: not known.
        budget: what makes an alarm where the zone does not say it.
        rule: what makes one event.
    """
    raw = stored.raw(inside)
    threshold = threshold_of(calibration, zone.budget or budget).of(modes)
    score = score_rows(raw, modes, calibration)
    low = rule.low_level(threshold, modes, calibration)
    return Area(name, inside, raw, score, threshold, low, calibration=calibration)


def modes_of(table: Table) -> Modes:
    """Camera mode of each row of a score table; "" in tables that lack it."""
    if "mode" not in table:
        return np.full(len(table), "", dtype=object)
    return table["mode"]


def score_rows(raw: Floats, modes: Modes, calibration: Calibration | None) -> Floats:
    """Calibrated score of each row; NaN without a calibration."""
    if calibration is None:
        return np.full(len(raw), np.nan)
    return calibration.calibrated(raw, modes)


def score_of(calibration: Calibration | None, raw: float, mode: str) -> float:
    """Calibrated score of one place; NaN without a calibration."""
    return float(score_rows(np.array([raw]), np.array([mode], dtype=object), calibration)[0])


def worst_area(areas: Sequence[Area]) -> npt.NDArray[np.int64]:
    """Number of the area (n,) whose score is furthest over its threshold, in raw units."""
    excess = np.stack([area.counted[:] - area.threshold[:] for area in areas])
    return np.asarray(np.nan_to_num(excess, nan=-np.inf, neginf=-np.inf).argmax(axis=0), np.int64)


def zone_scores(areas: list[Area], alarms: list[Flags]) -> Table:
    """Score, threshold and alarm of each zone, one row per frame."""
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for area, alarm in zip(areas, alarms, strict=True):
        columns |= {
            f"{area.name}.raw": area.raw[:],
            f"{area.name}.threshold": area.threshold[:],
            f"{area.name}.alarm": alarm,
        }
    return Table(columns)
