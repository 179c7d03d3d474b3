"""What was learnt of a scene, as what measures the attributes of further frames."""

from collections.abc import Container, Mapping
from dataclasses import fields
from typing import Any, ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from tlae.attributes.background import Background, Image, Plane
from tlae.attributes.cells import CELL_PX, Cells, grid_shape
from tlae.attributes.examples import FIELDS, SIDE_PX, Examples, cell_of
from tlae.attributes.kinds import ATTRIBUTES, Scale, ground_of, placed
from tlae.attributes.normal import FRAMES_AVERAGED, Exemplars, averaged, joined
from tlae.attributes.observer import Observation, Observer, ObserverState, Renewal
from tlae.attributes.reasons import VALUES, Habits, reason
from tlae.errors import ModelFileError
from tlae.measuring import Carried, Reason, Seen, place_in, require_fitting

START_S = 1.0  # of a run, in which the renewed background gets its first samples
AROUND_PX = 9  # the map reaches so far around the foreground
FACTS = ("slope", "offset", "least", "pace", "stride", "apart", "spacing", "interval_s")
MEASURED = "measured"  # (n, H, W), name of the input of the net


class AttributeMeasurer:
    """Maps of the attributes; a ``measuring.Measurer``.

    Args:
        arrays: background (H, W, C) and watched (H, W) uint8, noise (H, W), facts (``FACTS``),
            centres and spreads (of each attribute), habits (9, h, w), pictures and pictured (of
            ``Examples``), and normal_* (n, d), the exemplars of each attribute.

    Raises:
        ValueError: an array is of another type or shape.
        KeyError: one is missing.
        ModelFileError: see ``require_current``.
    """

    kind: ClassVar[str] = "attributes"

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
        require_current(arrays)
        _require_parts(arrays)
        facts = dict(zip(FACTS, map(float, arrays["facts"]), strict=True))
        frame = np.ascontiguousarray(arrays["background"])
        self._interval_s = facts["interval_s"]
        self._scale = Scale(
            size_hw=(frame.shape[0], frame.shape[1]),
            slope=facts["slope"],
            offset=facts["offset"],
            least=facts["least"],
            pace=facts["pace"],
            stride=facts["stride"],
            ground=ground_of(frame),
        )
        self._observer = Observer(
            Background(frame, arrays["noise"]),
            int(facts["apart"]),
            Renewal(max(1, round(START_S / self._interval_s)), int(facts["spacing"])),
            self._scale,
            arrays["watched"].astype(bool),
        )
        _require_exemplars(arrays, self._scale)
        parts = zip(ATTRIBUTES, arrays["centres"], arrays["spreads"], strict=True)
        self._exemplars = [
            Exemplars(kind, arrays[f"normal_{kind.name}"], float(centre), float(spread))
            for kind, centre, spread in parts
        ]
        self._habits = Habits(*arrays["habits"])
        pictures = arrays["pictures"], arrays["pictured"]
        self._examples = Examples.from_stacked(*pictures, self._scale)

    def see(
        self, frames: Image, before: Carried, *, skip_calm: bool = False
    ) -> tuple[Seen, Carried]:
        """Maps and evidence of further frames; see ``measuring.Measurer.see``.

        A calm frame shows nothing in front of the background, even under the light of the last
        frame that was looked at (``attributes.observer``).
        """
        past, recent = _unpacked(before, frames.shape[1:])
        seen = []
        for frame in frames:
            one, past = self._observer.see(frame, past, skip_calm=skip_calm)
            seen.append(one)
        deviations, recent = self._deviations([one.cells for one in seen], recent)
        both = list(zip(deviations, seen, strict=True))
        answer = Seen(
            {MEASURED: np.stack([_map(z, one) for z, one in both])},
            np.stack([_evidence(z, one.cells) for z, one in both]),
            np.array([one.skipped for one in seen], bool),
            np.zeros(len(frames), bool),
        )
        return answer, _packed(past, recent)

    def reason(self, evidence: Plane, place: tuple[float, float]) -> Reason:
        """Why a place is unusual, and the most similar normal thing; see ``Measurer.reason``."""
        row, column = place_in((evidence.shape[1], evidence.shape[2]), place)
        found = _telling(evidence, row, column)
        words = reason(found, (row, column), self._habits, self._scale, self._interval_s)
        if not words:
            return Reason("")
        values = dict(zip(VALUES, map(float, found[len(ATTRIBUTES) :]), strict=True))
        return Reason(words, self._examples.nearest(cell_of(values, (row, column))))

    def examples(self) -> Image:
        """Pictures of normal things, (n, h, w, C)."""
        return self._examples.pictures

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Those that it was made of."""
        return self._arrays

    def _deviations(self, cells: list[Cells], recent: Plane) -> tuple[Plane, Plane]:
        """Each attribute in spreads (n, A, h, w), and what the next frames need.

        Args:
            cells: of each frame.
            recent: (k, A, h, w), smoothed distances of the frames before.
        """
        together = Cells.joined(cells)
        number = np.repeat(np.arange(len(cells)), [len(one) for one in cells])
        planes = np.zeros((len(cells), *recent.shape[1:]), np.float32)
        for attribute, part in enumerate(self._exemplars):
            apart = part.distance(together, self._scale)
            planes[number, attribute, together.row, together.column] = apart
        mean, recent = averaged(planes, recent)
        z = [part.z(mean[:, number]) for number, part in enumerate(self._exemplars)]
        return np.stack(z, axis=1), recent


def require_current(names: Container[str]) -> None:
    """Refuse arrays of an earlier version, whose motion is not comparable with that of today.

    Raises:
        ModelFileError: that motion was measured in whole pictures, background and all.
    """
    if "normal_speed" in names and "normal_halves" not in names:
        raise ModelFileError(
            "an earlier version made it, which measured motion in another way; train it again"
        )


def _require_parts(arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Refuse parts that do not fit the background, all but the exemplars."""
    channels = arrays["background"].shape[-1]
    if channels not in (1, 3):
        raise ValueError(f"background must have 1 or 3 channels, got {channels}")
    require_fitting(arrays, {"background": ("uint8", (-1, -1, channels))})
    size_hw = arrays["background"].shape[:2]
    count = len(arrays["pictures"])
    require_fitting(
        arrays,
        {
            "noise": ("float32", size_hw),
            "watched": ("uint8", size_hw),
            "facts": ("float64", (len(FACTS),)),
            "centres": ("float32", (len(ATTRIBUTES),)),
            "spreads": ("float32", (len(ATTRIBUTES),)),
            "habits": ("float32", (len(fields(Habits)), *grid_shape(size_hw))),
            "pictures": ("uint8", (count, SIDE_PX, SIDE_PX, -1)),
            "pictured": ("float32", (FIELDS, count)),
        },
    )


def _require_exemplars(arrays: Mapping[str, npt.NDArray[Any]], scale: Scale) -> None:
    """Refuse exemplars of another number of values than cells are compared by."""
    cell = cell_of({}, (0, 0))
    widths = {kind.name: placed(kind, cell, scale).shape[1] for kind in ATTRIBUTES}
    require_fitting(
        arrays, {f"normal_{name}": ("float32", (-1, width)) for name, width in widths.items()}
    )


def _map(z: Plane, seen: Observation) -> Plane:
    """Root mean square over the attributes (A, h, w), where something is in front: (H, W).

    Its highest place is the score of the frame: the root mean square of the highest deviation of
    each attribute, wherever that is. Parts of one thing show different attributes.
    """
    if seen.skipped:
        return seen.planes.foreground
    cells = joined(z)
    height, width = seen.planes.foreground.shape
    size = (cells.shape[1] * CELL_PX, cells.shape[0] * CELL_PX)
    whole = cv2.resize(cells, size)[:height, :width]
    around = cv2.dilate(seen.planes.foreground, np.ones((AROUND_PX, AROUND_PX), np.uint8))
    seen_map = whole * around
    score, highest = float(joined(z.max(axis=(1, 2)))), float(seen_map.max())
    return np.asarray(seen_map * (score / highest if highest > 0 else 0.0), np.float32)


def _evidence(z: Plane, cells: Cells) -> Plane:
    """Deviations and ``VALUES`` of every cell, (E, h, w)."""
    values = np.zeros((len(VALUES), *z.shape[1:]), np.float32)
    values[:, cells.row, cells.column] = [getattr(cells, name) for name in VALUES]
    return np.concatenate([z, values])


def _telling(evidence: Plane, row: int, column: int) -> Plane:
    """Evidence (E,) of the cell near a place that deviates most, of cells that hold something.

    Deviations are means over the last frames: what was fast has left the cell by now, and an empty
    cell would read as one that stands still.
    """
    for reach in (1, FRAMES_AVERAGED):
        rows, columns = (slice(max(0, at - reach), at + reach + 1) for at in (row, column))
        around = evidence[:, rows, columns].reshape(len(evidence), -1)
        strength = np.square(around[: len(ATTRIBUTES)]).sum(axis=0)
        strength *= np.any(around[len(ATTRIBUTES) :] != 0, axis=0)
        if strength.any():
            break
    return np.asarray(around[:, int(strength.argmax())])


def _packed(past: ObserverState, recent: Plane) -> Carried:
    """What is carried on."""
    renewed = () if past.renewed is None else (past.renewed.frame, past.renewed.noise)
    return (
        np.array([past.count, *past.shift]),
        past.front,
        np.stack([past.stands, past.lingers]),
        past.samples,
        recent,
        past.tones,
        *renewed,
    )


def _unpacked(before: Carried, shape: tuple[int, ...]) -> tuple[ObserverState, Plane]:
    """The same as before, or nothing for frames of shape (H, W, C)."""
    height, width, channels = shape
    if not before:
        grid = grid_shape((height, width))
        nothing = np.zeros((0, len(ATTRIBUTES), *grid), np.float32)
        return ObserverState.none((height, width, channels)), nothing
    numbers, front, times, samples, recent, *others = before
    tones = np.zeros((0, 256, 1, channels), np.uint8)
    if len(others) % 2:  # older versions carried none
        tones, *others = others
    past = ObserverState(
        int(numbers[0]),
        front,
        times[0],
        times[1],
        (float(numbers[1]), float(numbers[2])),
        samples,
        Background(*others) if others else None,
        tones,
    )
    return past, recent
