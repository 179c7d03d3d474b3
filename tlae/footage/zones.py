"""Zones: named places of the picture that are watched on their own, or ignored.

A zones file is YAML in relative coordinates (0..1 from the left, 0..1 from the top), so that it
fits every resolution. Each zone may say what makes an alarm in it; one that does not takes what
holds for the whole::

    ignore:
      clock: [[0, 0], [0.3, 0], [0.3, 0.05], [0, 0.05]]
    zones:
      gate: {points: [[0.1, 0.5], [0.4, 0.5], [0.4, 0.9]], alarms_per_day: 1}
      road: {points: [[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 1]]}

A mask is a zones file without ``zones:``, or a picture: black is ignored, white is watched,
stretched to the net's size.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from omegaconf import OmegaConf

from tlae.budget import BUDGET_KEYS, Budget
from tlae.errors import UserError, nearest

YAML_SUFFIXES = (".yaml", ".yml")
SUBPIXEL_BITS = 4

Mask = npt.NDArray[np.bool_]
Point = tuple[float, float]
Polygon = tuple[Point, ...]


@dataclass(frozen=True)
class Zone:
    """A place that is watched on its own.

    Attributes:
        points: corners, (x, y) in 0..1 of the width and height, three or more.
        budget: what makes an alarm in it; an empty one: as in the whole picture.
    """

    points: Polygon
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class Zones:
    """What a zones file says.

    Attributes:
        ignore: places whose changes do not count, by name.
        zones: places that are watched on their own, by name; none: the whole picture is watched.
    """

    ignore: Mapping[str, Polygon] = field(default_factory=dict)
    zones: Mapping[str, Zone] = field(default_factory=dict)

    def watched(self, size_hw: tuple[int, int]) -> Mask:
        """(H, W), False in every pixel that an ignored place touches."""
        watched = np.full(size_hw, True)
        for points in self.ignore.values():
            watched &= ~covered(points, size_hw)
        return watched


def covered(points: Polygon, size_hw: tuple[int, int]) -> Mask:
    """(H, W), True in every pixel that the polygon touches."""
    inside = np.zeros(size_hw, np.uint8)
    scaled = (np.asarray(points) * (size_hw[1], size_hw[0]) - 0.5) * 2**SUBPIXEL_BITS
    cv2.fillPoly(inside, [scaled.round().astype(np.int32)], 1, shift=SUBPIXEL_BITS)
    return inside > 0


def read_mask(path: Path, size_hw: tuple[int, int]) -> Mask:
    """Read what to ignore, from a picture or a zones file.

    Returns:
        (H, W) of ``size_hw``, True where changes count.

    Raises:
        UserError: missing, unreadable, malformed, or nothing left to watch.
    """
    if not path.is_file():
        raise UserError(f"footage.mask must be an existing PNG or YAML file, got {path}")
    if path.suffix.lower() in YAML_SUFFIXES:
        zones = read_zones(path)
        if not zones.ignore:
            raise UserError(f"footage.mask must ignore something, {path} has zones: only")
        watched = zones.watched(size_hw)
    else:
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise UserError(f"footage.mask must be a picture or YAML, {path} is neither")
        smaller = cv2.resize(picture, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_AREA)
        watched = smaller > 127
    if not watched.any():
        raise UserError(f"footage.mask must leave something to watch, {path} ignores everything")
    return watched


def read_zones(path: Path) -> Zones:
    """Read a zones file.

    Raises:
        UserError: missing, not YAML, or a name, key or polygon that makes no sense.
    """
    if not path.is_file():
        raise UserError(f"zones must be an existing YAML file, got {path}")
    try:
        content = OmegaConf.to_container(OmegaConf.load(path))
    except Exception as error:  # any YAML or type error means the same to the user
        reason = " ".join(str(error).split())
        raise UserError(f"{path} must be YAML with ignore: and zones: ({reason})") from error
    content = content if isinstance(content, dict) else {}
    _known(content, ("ignore", "zones"), str(path))
    if not any(content.values()):
        raise UserError(f"{path} must hold ignore: or zones: with named polygons, got nothing")
    ignored = _named(content, "ignore", path)
    zones = _named(content, "zones", path)
    twice = sorted(set(ignored) & set(zones))
    if twice:
        raise UserError(f"{path}: {twice[0]} is both ignored and a zone; give it one meaning")
    return Zones(
        {name: _polygon(points, f"{path}: {name}") for name, points in ignored.items()},
        {name: _zone(entry, f"{path}: {name}") for name, entry in zones.items()},
    )


def _named(content: dict[Any, Any], key: str, path: Path) -> dict[str, Any]:
    entries = content.get(key) or {}
    if not isinstance(entries, dict):
        raise UserError(
            f"{path}: {key} must hold named polygons (name: ...), got {type(entries).__name__}"
        )
    return {str(name): entry for name, entry in entries.items()}


def _known(entries: dict[Any, Any], names: tuple[str, ...], where: str) -> None:
    for key in entries:
        if key not in names:
            raise UserError(f"{where} has no key {key!r}; {nearest(str(key), names)}")


def _zone(entry: object, where: str) -> Zone:
    if not isinstance(entry, dict) or "points" not in entry:
        raise UserError(f"{where} must be written {{points: [[x, y], ...]}}, got {entry!r:.60}")
    _known(entry, ("points", *BUDGET_KEYS), where)
    alarm = {key: entry[key] for key in BUDGET_KEYS if entry.get(key) is not None}
    for key, value in alarm.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UserError(f"{where}: {key} must be a number, got {value!r}")
        if key != "threshold" and not 0 < value < (1 if key == "false_alarm_rate" else math.inf):
            bounds = "in (0, 1)" if key == "false_alarm_rate" else "> 0"
            raise UserError(f"{where}: {key} must be {bounds}, got {value:g}")
    try:
        budget = Budget(**{key: float(value) for key, value in alarm.items()})
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error
    return Zone(_polygon(entry["points"], where), budget)


def _polygon(points: object, where: str) -> Polygon:
    """Corners without repeated ones; a polygon may be closed by its first point or not."""
    try:
        corners = np.asarray(points, dtype=np.float64)
    except (ValueError, TypeError):
        corners = np.zeros(0)
    if corners.ndim != 2 or corners.shape[1] != 2:
        raise UserError(f"{where} must be a list of [x, y] points, got {points!r:.60}")
    outside = corners[~((corners >= 0) & (corners <= 1)).all(axis=1)]
    if len(outside):
        raise UserError(
            f"{where}: points must be within 0..1 (shares of width and height), got "
            f"[{outside[0, 0]:g}, {outside[0, 1]:g}]"
        )
    polygon = [(float(x), float(y)) for x, y in corners]
    polygon = [point for i, point in enumerate(polygon) if point != polygon[i - 1]]
    if len(polygon) < 3:
        raise UserError(f"{where} must have 3 or more different points, got {len(polygon)}")
    _require_simple(polygon, where)
    return tuple(polygon)


def _require_simple(polygon: list[Point], where: str) -> None:
    """Refuse what crosses or touches itself: which side is inside would be a guess."""
    edges = list(zip(polygon, [*polygon[1:], polygon[0]], strict=True))
    for (i, (a, b)), (j, (c, d)) in combinations(enumerate(edges), 2):
        neighbours = j == i + 1 or (i == 0 and j == len(edges) - 1)
        if neighbours:
            shared, one, other = (b, a, d) if j == i + 1 else (a, b, c)
            wrong = _side(shared, one, other) == 0 and _ahead(shared, one, other)
        else:
            wrong = _meet(a, b, c, d)
        if wrong:
            raise UserError(
                f"{where} crosses itself (side {i + 1} meets side {j + 1}); give its corners in "
                "order around it"
            )


def _side(a: Point, b: Point, c: Point) -> float:
    """Twice the signed area of a triangle: which side of the line through a and b c lies on."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _ahead(origin: Point, one: Point, other: Point) -> bool:
    """Whether two points lie in the same direction."""
    return (one[0] - origin[0]) * (other[0] - origin[0]) + (one[1] - origin[1]) * (
        other[1] - origin[1]
    ) > 0


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the lines from a to b and from c to d share a point."""
    sides = np.sign([_side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)])
    if sides[0] != sides[1] and sides[2] != sides[3]:
        return True
    if sides.any():
        return False
    spans = [(min(p[k], q[k]), max(p[k], q[k])) for p, q in ((a, b), (c, d)) for k in (0, 1)]
    return all(spans[k][0] <= spans[k + 2][1] and spans[k + 2][0] <= spans[k][1] for k in (0, 1))
