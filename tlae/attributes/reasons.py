"""Why a place is unusual, in words with numbers: the attribute that stands out most."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from tlae.attributes.background import Plane
from tlae.attributes.cells import Cells
from tlae.attributes.kinds import ATTRIBUTES, Scale

NAMES = tuple(kind.name for kind in ATTRIBUTES)
CEILINGS = {kind.name: kind.ceiling for kind in ATTRIBUTES if np.isfinite(kind.ceiling)}
VALUES = (  # what was measured of a cell
    "vx",
    "vy",
    "speed",
    "height",
    "width",
    "radius",
    "foot",
    "upper",
    "lower",
    "stands",
    "lingers",
)
NEAR_CELLS = 3  # normal cells within so many cells tell what is normal at a place
TOP = 0.98  # share of normal speeds that a fast thing is compared with
LITTLE = 0.1  # of the normal cells near the median place: the place is hardly known
STILL_PACE = 0.25  # of the median speed: slower is still
ARTICLES = {"upper": "an upper", "lower": "a lower"}
LEAST_RATIO = 1.15  # times that speed, to be called fast


@dataclass(frozen=True, eq=False)
class Habits:
    """What normal footage showed near each cell of the grid; all (h, w).

    Attributes:
        cells: normal cells seen near by.
        speed: that 98 % of what moved did not exceed [px per frame].
        vx, vy: mean velocity, as a share of the mean speed: its length is 1 if all move one way.
        height, width: median size of things [px].
        upper, lower: median speed of their halves [px per frame].
        stands: longest time that something stood [frames].
    """

    cells: Plane
    speed: Plane
    vx: Plane
    vy: Plane
    height: Plane
    width: Plane
    upper: Plane
    lower: Plane
    stands: Plane

    @staticmethod
    def of(cells: Cells, grid: tuple[int, int]) -> "Habits":
        """Of normal cells."""
        near = _near(cells, grid)
        planes = np.zeros((len(fields(Habits)), *grid), np.float32)
        velocity = np.stack([cells.vx, cells.vy])
        for (row, column), inside in near.items():
            if not len(inside):
                continue
            things = inside[cells.height[inside] > 0]
            mean = velocity[:, inside].mean(axis=1) / max(float(cells.speed[inside].mean()), 1e-3)
            typical = [
                float(np.median(part[things])) if len(things) else 0.0
                for part in (cells.height, cells.width, cells.upper, cells.lower)
            ]
            planes[:, row, column] = [
                len(inside),
                np.quantile(cells.speed[inside], TOP),
                *mean,
                *typical,
                max(cells.stands[inside].max(), cells.lingers[inside].max()),
            ]
        return Habits(*planes)

    def known_share(self, row: int, column: int) -> float:
        """Normal cells near a place, as a share of those near the median place that had any."""
        return float(self.cells[row, column] / np.median(self.cells[self.cells > 0]))

    def stacked(self) -> Plane:
        """(9, h, w), in the order of the attributes."""
        return np.stack(list(vars(self).values()))


def _near(cells: Cells, grid: tuple[int, int]) -> dict[tuple[int, int], npt.NDArray[np.int64]]:
    """Numbers of the cells within reach of each place of the grid."""
    place = cells.row * grid[1] + cells.column
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(grid[0] * grid[1] + 1))
    found = {}
    for row in range(grid[0]):
        for column in range(grid[1]):
            rows = range(max(0, row - NEAR_CELLS), min(grid[0], row + NEAR_CELLS + 1))
            left, right = max(0, column - NEAR_CELLS), min(grid[1], column + NEAR_CELLS + 1)
            parts = [order[starts[r * grid[1] + left] : starts[r * grid[1] + right]] for r in rows]
            found[row, column] = np.concatenate(parts)
    return found


def reason(
    evidence: npt.NDArray[np.float32],
    place: tuple[int, int],
    habits: Habits,
    scale: Scale,
    interval_s: float,
) -> str:
    """One clause, such as "has stood here for 40 s; the longest in training was 3.0 s".

    It is of the attribute that deviates most. What has reached its ceiling may deviate more than is
    known, so a stand that is longer than any in training comes first then.

    Args:
        evidence: of a cell: the deviations of the attributes (``NAMES``), then ``VALUES``.
        place: row and column of the cell.
        habits: of the scene.
        scale: of the scene.
        interval_s: time between frames [s].

    Returns:
        The clause; empty where nothing stands out.
    """
    z = dict(zip(NAMES, evidence[: len(NAMES)], strict=True))
    name = max(z, key=lambda key: float(z[key]))
    if z[name] <= 0:
        return ""
    seen = dict(zip(VALUES, map(float, evidence[len(NAMES) :]), strict=True))
    row, column = place
    normal = {key: float(plane[row, column]) for key, plane in vars(habits).items()}
    stood = max(seen["stands"], seen["lingers"])
    is_longest = stood > normal["stands"]
    if is_longest and all(z[key] >= ceiling for key, ceiling in CEILINGS.items()):
        return _standing(stood, normal["stands"], interval_s)
    share = habits.known_share(row, column)
    if share < LITTLE and name in ("ground", "relative_size", "size"):
        return _little("is", "was", share)
    is_still = seen["speed"] < STILL_PACE * scale.pace
    if name in ("velocity", "speed", "halves") and not (is_still and is_longest):
        if share < LITTLE:
            return _little("moves", "moved", share)
        return _halves(seen, normal, scale) if name == "halves" else _motion(seen, normal, scale)
    if name in ("relative_size", "size"):
        return _size(seen, normal)
    if name == "ground":
        return "is on ground on which nothing stood in training"
    return _standing(stood, normal["stands"], interval_s)


def _little(does: str, did: str, share: float) -> str:
    what = "nothing" if share == 0 else "little"
    of_median = f" ({share:.0%} of what the median place had)" if share >= 0.005 else ""
    return f"{does} at a place where {what} {did} in training{of_median}"


def _motion(seen: dict[str, float], normal: dict[str, float], scale: Scale) -> str:
    ratio = seen["speed"] / max(normal["speed"], 0.1 * scale.pace)
    if ratio >= LEAST_RATIO:
        return f"moves {ratio:.1f} times as fast as {TOP:.0%} of what moved near here in training"
    speed = float(np.hypot(seen["vx"], seen["vy"]))
    along = (seen["vx"] * normal["vx"] + seen["vy"] * normal["vy"]) / max(speed, 1e-6)
    if along < -0.1:
        return "moves against the direction that is normal here"
    if seen["speed"] < STILL_PACE * scale.pace:
        return "hardly moves, where in training things kept moving"
    return "moves in a way not seen near here in training (direction and speed together)"


def _halves(seen: dict[str, float], normal: dict[str, float], scale: Scale) -> str:
    least = 0.1 * scale.pace
    ratios = {half: (seen[half] + least) / (normal[half] + least) for half in ("upper", "lower")}
    half = max(ratios, key=lambda key: abs(np.log(ratios[key])))
    ratio = ratios[half]
    thing = "that of the median thing near here in training"
    if 1 / LEAST_RATIO < ratio < LEAST_RATIO:
        return "has halves that move together in a way not seen near here in training"
    only = "only " if ratio < 1 else ""
    return f"has {ARTICLES[half]} half that moves {only}{ratio:.1f} times as fast as {thing}"


def _size(seen: dict[str, float], normal: dict[str, float]) -> str:
    tall = seen["height"] / max(normal["height"], 1.0)
    wide = seen["width"] / max(normal["width"], 1.0)
    sides = {"taller": tall, "wider": wide, "lower": 1 / max(tall, 0.01)}
    sides["narrower"] = 1 / max(wide, 0.01)
    word = max(sides, key=lambda key: sides[key])
    return f"is {sides[word]:.1f} times {word} than the median thing near here in training"


def _standing(frames: float, longest: float, interval_s: float) -> str:
    if frames <= longest:
        return "stands here, which was rare in training"
    now, then = _duration(frames * interval_s), _duration(longest * interval_s)
    if longest == 0:
        return f"has stood here for {now}; nothing stood here in training"
    return f"has stood here for {now}; the longest in training was {then}"


def _duration(seconds: float) -> str:
    """With the digits that matter."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
