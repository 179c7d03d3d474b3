"""The camera: exposure that adapts, glow of lamps, noise, drops on the lens, shake."""

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.sites.lighting import Lamp
from tlae.lab.sites.sprites import Floats
from tlae.lab.sites.weather import Weather

MIDDLE = 0.27  # brightness that the exposure aims at
ADAPTS = 0.86  # 1 would make the night as bright as the day
DAYLIGHT = 0.25  # mean light at which the exposure is exactly MIDDLE
MOST_GAIN = 90.0
BALANCES = 0.55  # how far the white balance follows
STEPS = 4096


class Exposure:
    """Turns linear light into stored pixels, with the same noise for the same frame."""

    def __init__(self, camera: SceneCamera, noise_sigma: float, shake_px: float, seed: int) -> None:
        self.camera, self.seed = camera, seed
        self.noise_sigma, self.shake_px = noise_sigma, shake_px
        rng = np.random.default_rng([seed, 21])
        height, width = camera.size_hw
        raw = rng.standard_normal((height + 64, width + 64, 3), dtype=np.float32)
        self.noise = raw + 0.6 * cv2.GaussianBlur(raw, (0, 0), 0.8)
        self.noise /= self.noise.std()
        curve = np.linspace(0, 4, STEPS, dtype=np.float32)
        self.curve = (
            255 * ((1 - np.exp(-1.35 * curve)) / (1 - np.exp(-5.4))) ** (1 / 1.95)
        ).astype(np.float32)

    def picture(
        self, light: Floats, frame: int, weather: Weather, lamps: tuple[Lamp, ...]
    ) -> Image:
        """RGB (H, W, 3) of linear light (H, W, 3)."""
        rng = np.random.default_rng([self.seed, 22, frame])
        light = self._glow(light, lamps, float(weather.fog[frame]))
        small = cv2.resize(light, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
        small = np.maximum(small, 1e-6)
        mean = float(np.exp(np.log(small.mean(axis=2) + 1e-5).mean()))
        gain = MIDDLE / DAYLIGHT * (DAYLIGHT / mean) ** ADAPTS * float(rng.normal(1, 0.025))
        gain = min(gain, MOST_GAIN)
        tint = small.reshape(-1, 3).mean(axis=0)
        balance = (tint.mean() / tint) ** BALANCES
        seen = cv2.GaussianBlur(light * (gain * balance).astype(np.float32), (0, 0), 0.6)
        seen = self._moved(seen, rng)
        if weather.rain[frame] > 0.15:
            seen = _drops(seen, float(weather.rain[frame]), rng)
        if weather.snowfall[frame] > 0.05:
            seen = _flakes(seen, float(weather.snowfall[frame]), rng)
        at = np.clip(seen * ((STEPS - 1) / 4), 0, STEPS - 1).astype(np.uint16)
        levels = np.take(self.curve, at)
        sigma = self.noise_sigma * min(4.0, (1 + gain / 14))
        top, left = rng.integers(0, 64, 2)
        height, width = self.camera.size_hw
        levels += sigma * self.noise[top : top + height, left : left + width]
        return np.asarray(np.clip(levels + 0.5, 0, 255), np.uint8)

    def _moved(self, seen: Floats, rng: np.random.Generator) -> Floats:
        if self.shake_px == 0:
            return seen
        right, down = rng.normal(0, self.shake_px, 2)
        turn = np.array([[1, 0, right], [0, 1, down]], np.float32)
        size = self.camera.size_hw[::-1]
        return np.asarray(
            cv2.warpAffine(seen, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
            np.float32,
        )

    def _glow(self, light: Floats, lamps: tuple[Lamp, ...], fog: float) -> Floats:
        height, width = light.shape[:2]
        for lamp in lamps:
            (x, y) = self.camera.project(np.array([lamp.place]))[0]
            if lamp.place[2] < 1 or not (-20 < x < width + 20 and -20 < y < height + 20):
                continue
            size = lamp.glows_px * height / 384
            reach = round(size * 12)
            top, left = max(0, round(y) - reach), max(0, round(x) - reach)
            window = light[top : max(0, round(y) + reach), left : max(0, round(x) + reach)]
            if not window.size:
                continue
            rows = np.arange(window.shape[0])[:, None] + top - y
            columns = np.arange(window.shape[1])[None] + left - x
            far = (rows**2 + columns**2) / size**2
            glow = 3.0 * np.exp(-far * 2) + (0.05 + 0.15 * fog) * np.exp(-np.sqrt(far) / 1.8)
            edge = np.clip(12 - np.sqrt(far), 0, 1)
            window += (glow * edge)[..., None].astype(np.float32) * (
                lamp.power / max(float(lamp.power.max()), 1e-6)
            )
        return light


def _drops(seen: Floats, rain: float, rng: np.random.Generator) -> Floats:
    """Drops on the lens blur and brighten round places."""
    height, width = seen.shape[:2]
    amount = np.zeros((height, width), np.float32)
    for _ in range(rng.poisson(5 * rain)):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(amount, centre, max(2, round(rng.uniform(0.012, 0.04) * height)), 1.0, -1)
    if not amount.any():
        return seen
    amount = cv2.GaussianBlur(amount, (0, 0), height / 130)[..., None]
    soft = cv2.blur(seen, (height // 14 | 1, height // 14 | 1))
    return np.asarray(seen * (1 - 0.8 * amount) + soft * (0.84 * amount), np.float32)


def _flakes(seen: Floats, snowfall: float, rng: np.random.Generator) -> Floats:
    """Flakes that fall while the shutter is open."""
    height, width = seen.shape[:2]
    white = np.zeros((height, width), np.float32)
    count = rng.poisson(160 * snowfall)
    at = (rng.random((count, 2)) * (width, height)).astype(int)
    sizes = rng.integers(0, 3, count) * height // 500
    for (x, y), size in zip(at.tolist(), sizes.tolist(), strict=True):
        cv2.line(white, (x, y), (x + 1, y + 2 + 2 * size), 1.0, 1 + size)
    white = cv2.GaussianBlur(white, (0, 0), 0.7)[..., None] * 0.35
    return np.asarray(seen * (1 - white) + white * (seen.mean() * 1.6 + 0.02), np.float32)
