"""From buffers to light that reaches the camera: sun, sky, lamps, snow, wetness, fog, clouds."""

from dataclasses import dataclass

import cv2
import numpy as np

from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.scenes.textures import cloudy
from tlae.lab.sites.shadows import Nearness, ShadowMap, Slice
from tlae.lab.sites.sprites import Buffers, Floats, Material, Place, Polygon, rays
from tlae.lab.sites.sun import Light

SUN_CELL_M, LAMP_CELL_M = 0.14, 0.22
LAMP_REACH_M = 30.0
SNOW = np.array([0.82, 0.85, 0.9], np.float32)
LAYS_SNOW = np.array([0, 0.85, 1, 0.35, 0.9, 0.95, 0.4, 0, 0], np.float32)  # by material
WETS = np.array([0, 0.5, 0.25, 0.2, 0.25, 0.1, 0, 0.2, 0], np.float32)  # loss of colour when wet
SHINES = np.array([0, 0.0, 0, 0.01, 0.01, 0.07, 0.22, 0, 0], np.float32)  # share of sky mirrored
SHINES_WET = np.array([0, 0.14, 0.02, 0.04, 0.03, 0.1, 0.25, 0, 0], np.float32)
BOUNCE = 0.22  # light that the ground throws back onto what faces down


@dataclass(frozen=True)
class Lamp:
    """A lamp: where, how strong (3,), below which altitude of the sun it burns, until when."""

    place: Place
    power: Floats
    below_deg: float = -1.0
    until_h: float = 24.0
    from_h: float = 0.0
    glows_px: float = 5.0

    def burns(self, altitude: float, hour: float) -> bool:
        """True when it is dark enough, and not too late."""
        return (
            altitude < self.below_deg
            and (hour >= 12) * (hour < self.until_h) + (hour < 12) * (hour >= self.from_h) > 0
        )


@dataclass(frozen=True)
class LightingMoment:
    """What decides how buffers look.

    Attributes:
        light: sun and sky.
        hidden: share of sunlight that the cloud before the sun takes.
        patches: 0 to 1, how much of the ground lies under single clouds' shadows.
        wet, snow, fog: as of the weather.
        drift: (2,) where clouds have moved to, in cells.
        lamps: those that burn.
        tints: (9, 3) colour of each material, times the albedo.
        windows: emission (H, W, 3) or None.
    """

    light: Light
    hidden: float
    patches: float
    wet: float
    snow: float
    fog: float
    drift: tuple[float, float]
    lamps: tuple[Lamp, ...]
    tints: Floats
    windows: Floats | None = None


class Lighting:
    """Lights buffers of one camera; keeps its maps from frame to frame."""

    def __init__(self, camera: SceneCamera, rng: np.random.Generator) -> None:
        self.camera = camera
        self.right, self.up = rays(camera)
        self.sun_map, self.lamp_map = ShadowMap(SUN_CELL_M), ShadowMap(LAMP_CELL_M)
        self.near = Nearness()
        self.clouds = [cloudy(rng), cloudy(rng)]
        self.broad = cv2.GaussianBlur(self.clouds[0], (0, 0), 7)
        self.broad /= self.broad.std()
        self.grain = cv2.resize(cloudy(rng), camera.size_hw[::-1])

    def shade(
        self, buffers: Buffers, moment: LightingMoment, slices: list[Slice], feet: list[Polygon]
    ) -> Floats:
        """Linear light (H, W, 3) at the camera.

        Args:
            buffers: of everything in view.
            moment: how it is lit.
            slices: of everything that casts a shadow, also outside the picture.
            feet: what stands on the ground.
        """
        slices = sorted(slices, key=lambda one: one.height)
        z = np.minimum(buffers.depth, 300)
        x, y = self.right * z, self.camera.height_m + self.up * z
        material = buffers.material
        albedo = self._surface(buffers, moment)
        up = buffers.normal[..., 1]
        self.near.stand(feet)
        openness = self.near.open_sky(x, y, z) * (0.5 + 0.5 * up)
        light = moment.light
        incoming = openness[..., None] * light.sky
        incoming += (0.5 - 0.5 * up)[..., None] * (BOUNCE * (light.sky + 0.4 * light.sun))
        if light.sun.max() > 1e-4 and moment.hidden < 1:
            facing = np.maximum(buffers.normal @ light.towards_sun, 0)
            np.copyto(facing, 0.35 + 0.4 * facing, where=material == Material.LEAVES)
            self.sun_map.cast_sun(slices, light.towards_sun)
            facing *= self.sun_map.lit_by_sun(x, y, z, light.towards_sun)
            if moment.patches > 0:
                facing *= self._cloud_shadows(x, z, moment)
            incoming += facing[..., None] * (light.sun * (1 - moment.hidden))
        for lamp in moment.lamps:
            incoming += self._lamp(lamp, buffers, (x, y, z), slices)
        lit = albedo * incoming
        mirrored = np.take(SHINES * (1 - moment.wet) + SHINES_WET * moment.wet, material)
        lit += mirrored[..., None] * (light.sky * 0.9)
        if moment.windows is not None:
            lit += moment.windows * (material == Material.GLASS)[..., None]
        sky = material == Material.SKY
        if sky.any():
            rows = np.flatnonzero(sky.any(axis=1))
            top = int(rows[-1]) + 1
            np.copyto(lit[:top], self._sky(top, moment), where=sky[:top, :, None])
        if moment.fog > 0.01:
            kept = np.exp(-np.minimum(buffers.depth, 150) * (0.05 * moment.fog))[..., None]
            lit = lit * kept + (1 - kept) * (light.sky * 0.75 + light.sun * 0.1)
        return np.asarray(lit, np.float32)

    def _surface(self, buffers: Buffers, moment: LightingMoment) -> Floats:
        material = buffers.material
        tints = moment.tints * (1 - WETS * moment.wet)[:, None]
        albedo = buffers.albedo * np.take(tints.astype(np.float32), material, axis=0)
        if moment.snow > 0.02:
            lays = np.take(LAYS_SNOW, material) * np.clip(buffers.normal[..., 1] * 1.6 - 0.3, 0, 1)
            lies = np.clip((moment.snow * 1.5 - 0.55 + 0.16 * self.grain) * 3, 0, 1) * lays
            albedo += lies[..., None] * (SNOW - albedo)
        return np.asarray(albedo, np.float32)

    def _cloud_shadows(self, x: Floats, z: Floats, moment: LightingMoment) -> Floats:
        at_x = np.mod(x * 1.1 + moment.drift[0] * 3, 254).astype(np.float32)
        at_z = np.mod(z * 1.1 + moment.drift[1] * 3, 254).astype(np.float32)
        cloud = cv2.remap(self.broad, at_x, at_z, cv2.INTER_LINEAR)
        shade = np.clip(cloud * 1.2 - 1.4 + 2.0 * moment.patches, 0, 1)
        return np.asarray(1 - 0.8 * shade, np.float32)

    def _lamp(
        self, lamp: Lamp, buffers: Buffers, at: tuple[Floats, Floats, Floats], slices: list[Slice]
    ) -> Floats:
        x, y, z = at
        to_x, to_y, to_z = lamp.place[0] - x, lamp.place[1] - y, lamp.place[2] - z
        square = to_x * to_x + to_y * to_y + to_z * to_z + 0.3
        normal = buffers.normal
        facing = normal[..., 0] * to_x + normal[..., 1] * to_y + normal[..., 2] * to_z
        falling = np.maximum(facing, 0) * np.maximum(to_y + 0.4, 0) / (square * square)
        self.lamp_map.cast_lamp(slices, lamp.place, LAMP_REACH_M)
        falling *= self.lamp_map.lit_by_lamp(x, y, z, lamp.place)
        return np.asarray(falling[..., None] * lamp.power, np.float32)

    def _sky(self, rows: int, moment: LightingMoment) -> Floats:
        light = moment.light
        up = np.maximum(self.up[:rows], 0.004)
        height = np.clip(up / 0.5, 0, 1)[..., None]
        # near the horizon the clear sky is paler
        pale = light.sky.mean() * np.array([1.02, 1.0, 0.98], np.float32)
        clear = (light.sky * (0.55 + 0.45 * height) + pale * (0.75 - 0.55 * height)) * 0.62
        clear = np.broadcast_to(clear, (rows, self.right.shape[1], 3))
        far = 1 / (up + 0.05)
        at_x = np.mod(self.right * far * 14 + moment.drift[0], 254).astype(np.float32)
        at_y = np.mod(np.broadcast_to(far * 9, at_x.shape) + moment.drift[1], 254)
        cloud = 0.75 * cv2.remap(self.broad, at_x, at_y.astype(np.float32), cv2.INTER_LINEAR)
        cloud += 0.35 * cv2.remap(self.clouds[1], at_x, at_y.astype(np.float32), cv2.INTER_LINEAR)
        thick = np.clip((cloud - 1.3 + 2.9 * light.cover) * 0.8, 0, 1)[..., None]
        white = light.sky * 0.45 + 0.16 * light.sun + 0.25 * pale
        shaded = white * (1 - 0.25 * np.clip(cloud, 0, 1))[..., None]
        result = clear * (1 - thick) + shaded * thick
        if light.sun.max() > 1e-3:  # glare about the sun
            sun = light.towards_sun
            length = np.sqrt(self.right**2 + self.up[:rows] ** 2 + 1)
            cosine = (self.right * sun[0] + self.up[:rows] * sun[1] + sun[2]) / length
            glare = np.clip(cosine, 0, 1) ** 40 * 0.8 + np.clip(cosine, 0, 1) ** 3000 * 30
            result = result + glare[..., None] * (light.sun * 0.5 * (1 - moment.hidden))
        return np.asarray(result, np.float32)
