"""The weather of every frame, drawn from a seed: clouds, rain, fog, snow, wind, wetness."""

import math
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float32]

CLEAR, FAIR, OVERCAST, WET = range(4)
COVERS = (0.06, 0.4, 0.92, 0.97)  # mean cloud cover of each kind of day
NEXT_DAY = np.array(  # what follows what
    [[0.5, 0.3, 0.12, 0.08], [0.25, 0.35, 0.2, 0.2], [0.15, 0.25, 0.3, 0.3], [0.1, 0.3, 0.3, 0.3]]
)


@dataclass(frozen=True)
class Weather:
    """One value per frame, each (frames,) in [0, 1].

    Attributes:
        cover: of the sky by clouds.
        hidden: of the sun by the cloud before it.
        rain: that falls now.
        wet: ground.
        fog: density.
        snow: cover of the ground.
        snowfall: that falls now.
        wind: strength.
    """

    cover: Series
    hidden: Series
    rain: Series
    wet: Series
    fog: Series
    snow: Series
    snowfall: Series
    wind: Series


def draw_weather(start: datetime, days: int, frames_a_day: int, seed: int) -> Weather:
    """Weather of days, each with a kind that depends on the day before."""
    rng = np.random.default_rng([seed, 11])
    frames = days * frames_a_day
    hours = (np.arange(frames) % frames_a_day) * 24 / frames_a_day
    kinds = _kinds(days, rng)
    mean = np.array(COVERS)[kinds]
    at = np.arange(frames) / frames_a_day
    spread = 0.22 * _slow_noise(frames, 2.0 * frames_a_day / 24, rng)
    cover = np.clip(np.interp(at, np.arange(days) + 0.5, mean) + spread * (mean.std() + 0.3), 0, 1)
    wet_day = np.repeat(kinds == WET, frames_a_day)
    shower = _slow_noise(frames, 1.2 * frames_a_day / 24, rng)
    falling = np.clip((shower - 0.2) * 0.9, 0, 1) * wet_day
    cold = np.repeat([_temperature(start, day, rng) < 1.5 for day in range(days)], frames_a_day)
    rain, snowfall = falling * ~cold, falling * cold
    cover = np.maximum(cover, np.minimum(1, falling * 5) * 0.97)
    fine = rng.random(frames)
    hidden = np.clip((cover * 1.25 - fine) * 3 + 0.2, 0, 1) * (cover > 0.08)
    foggy = np.repeat(rng.random(days) < 0.14, frames_a_day) * rng.uniform(0.4, 1)
    morning = np.exp(-(((hours - 6.5) / 2.4) ** 2))
    step_h = 24 / frames_a_day
    return Weather(
        cover=_f32(cover),
        hidden=_f32(hidden),
        rain=_f32(rain),
        wet=_f32(_stays(rain, step_h * 3.0, 2.5, step_h)),
        fog=_f32(np.clip(foggy * morning + 0.12 * falling, 0, 1)),
        snow=_f32(_stays(snowfall, step_h * 0.9, 16.0, step_h)),
        snowfall=_f32(snowfall),
        wind=_f32(np.clip(0.35 + 0.25 * _slow_noise(frames, 3 * frames_a_day / 24, rng), 0, 1)),
    )


def _f32(values: npt.NDArray[np.float64]) -> Series:
    return np.asarray(values, np.float32)


def _kinds(days: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    kinds = [int(rng.integers(3))]
    while len(kinds) < days:
        kinds.append(int(rng.choice(4, p=NEXT_DAY[kinds[-1]])))
    return np.array(kinds)


def _temperature(start: datetime, day: int, rng: np.random.Generator) -> float:
    """Mean of a day in degrees Celsius; coldest in the middle of January."""
    of_year = start.timetuple().tm_yday + day
    return 10 - 10 * math.cos(2 * math.pi * (of_year - 15) / 365.25) + rng.normal(0, 3.0)


def _slow_noise(frames: int, sigma: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    raw = rng.standard_normal((1, frames))
    soft = cv2.GaussianBlur(raw, (0, 0), max(sigma, 0.3), borderType=cv2.BORDER_REFLECT)[0]
    return np.asarray(soft / max(float(soft.std()), 1e-6), np.float64)


def _stays(
    falling: npt.NDArray[np.float64], gain: float, half_life_h: float, step_h: float
) -> npt.NDArray[np.float64]:
    """What has fallen gathers, and goes again with a half-life."""
    keep = 0.5 ** (step_h / half_life_h)
    level, levels = 0.0, np.zeros(len(falling))
    for frame, amount in enumerate(falling):
        level = min(1.0, level * (1 if amount > 0.02 else keep) + gain * amount)
        levels[frame] = level
    return levels
