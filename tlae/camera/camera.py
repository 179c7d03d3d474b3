"""A camera as its normal footage shows it, and how a frame is seen with that knowledge."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tlae.camera.background import BackgroundBank
from tlae.camera.health import Health, HealthLimits, Signs, judge
from tlae.camera.light import even_contrast, match_light
from tlae.camera.measures import (
    Plane,
    Values,
    contrast,
    dark_share,
    edges,
    look,
    luminance,
    saturated_share,
    sharpness,
)
from tlae.camera.modes import Modes
from tlae.camera.options import CameraOptions
from tlae.camera.registration import MOST_SHIFT, Shift, find_shift, undo
from tlae.footage.frames import Image


@dataclass(frozen=True)
class Seen:
    """How one frame is seen.

    Attributes:
        picture: (H, W, C) uint8, canonical: what the net sees.
        mode: name of the camera's mode, "new" where it looks like none; "" if there is one only.
        health: of the frame.
        shift_x: registered shift to the right [px of the net's picture].
        shift_y: registered shift down.
    """

    picture: Image
    mode: str
    health: Health
    shift_x: float
    shift_y: float


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera as its normal footage shows it; made by ``fit_camera``.

    Attributes:
        options: which parts are on.
        modes: looks that its frames gather around.
        bank: backgrounds of each mode.
        limits: of health.
    """

    options: CameraOptions
    modes: Modes
    bank: BackgroundBank
    limits: HealthLimits

    def see(self, frames: Image, copies: Sequence[int]) -> list[Seen]:
        """Frames as the net shall see them, each on its own.

        Args:
            frames: (n, H, W, C), as the store holds them.
            copies: of each frame, exact copies in a row up to it.
        """
        looks, light = look(frames), luminance(frames)
        names, chosen = self.modes.named(looks), self.bank.most_alike(light, looks)
        return [
            self._seen(frames[i], Sight(light[i], int(chosen[i]), self.bank), names[i], copies[i])
            for i in range(len(frames))
        ]

    def _seen(self, frame: Image, sight: "Sight", name: str, copies: int) -> Seen:
        health = Health.OK
        if self.options.health:
            mode = int(self.bank.mode[sight.background])
            health = judge(sight.signs(copies), self.limits, mode, frame.shape[0])
        shift = Shift(0.0, 0.0, 0.0)
        if self.options.register:
            shift = sight.small_shift
        usable = health not in (Health.BLACK, Health.SATURATED, Health.COVERED)
        picture = self._canonical(frame, sight.background, shift) if usable else frame
        return Seen(picture, name, health, shift.x, shift.y)

    def _canonical(self, frame: Image, background: int, shift: Shift) -> Image:
        picture = undo(frame.astype(np.float32), shift)
        empty = self.bank.pictures[background].astype(np.float32)
        height = frame.shape[0]
        if self.options.light:
            picture = match_light(picture, empty, self.options.light_reach * height)
        if self.options.local_contrast:
            reach = (self.options.light_reach or 0.25) * height
            picture, empty = even_contrast(picture, reach), even_contrast(empty, reach)
        if self.options.difference:
            picture = 127.5 + picture - empty
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Sight:
    """One frame beside the background that it looks most like.

    Attributes:
        light: luminance of the frame (H, W).
        background: number in the bank.
        bank: of backgrounds.
    """

    light: Plane
    background: int
    bank: BackgroundBank
    shift: Shift = field(init=False)

    def __post_init__(self) -> None:
        rough = np.sqrt(edges(self.light[None])[0])  # strong edges count less
        found = find_shift(rough, self.bank.rough_edges[self.background], self.bank.window)
        object.__setattr__(self, "shift", found)

    @property
    def small_shift(self) -> Shift:
        """The shift if it is shake: sure, and no further than a small part of the height."""
        is_shake = self.shift.is_sure and self.shift.length <= MOST_SHIFT * self.light.shape[0]
        return self.shift if is_shake else Shift(0.0, 0.0, self.shift.response)

    def signs(self, copies: int) -> Signs:
        """What health is judged by."""
        light = self.light[None]
        return Signs(
            copies,
            float(dark_share(light)[0]),
            float(saturated_share(light)[0]),
            _median_ratio(np.nan_to_num(contrast(light)[0]), self.bank.contrast[self.background]),
            _median_ratio(sharpness(light)[0], self.bank.sharpness[self.background]),
            self.shift,
        )


def _median_ratio(cells: Values, background: Values) -> float:
    """Median over the cells that have both values; 1 where none has."""
    ratios = (cells / background)[~np.isnan(cells / background)]
    return float(np.median(ratios)) if len(ratios) else 1.0
