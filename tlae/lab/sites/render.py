"""One still of a site."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image
from tlae.lab.sites.carpark import Carpark
from tlae.lab.sites.exposure import Exposure
from tlae.lab.sites.garden import Garden
from tlae.lab.sites.lighting import Lighting, LightingMoment
from tlae.lab.sites.options import SiteOptions, SiteView
from tlae.lab.sites.shadows import Slice
from tlae.lab.sites.site import Piece, Site
from tlae.lab.sites.sprites import Polygon, Sprite
from tlae.lab.sites.sun import light_at

Owners = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Change:
    """What a planted thing does to one frame.

    Attributes:
        owner: its number, from 1.
        pieces: what it adds.
        without: names of fixtures and plants that are missing because of it.
    """

    owner: int
    pieces: tuple[Piece, ...] = ()
    without: tuple[str, ...] = ()


class Renderer:
    """Draws any frame of a site; the same frame always looks the same."""

    def __init__(self, options: SiteOptions) -> None:
        self.options = options
        self.site: Site = SITES[SiteView(options.view)](options)
        rng = np.random.default_rng([options.seed, 61])
        self.lighting = Lighting(self.site.camera, rng)
        self.exposure = Exposure(
            self.site.camera, options.noise_sigma, options.shake_px, options.seed
        )
        self.base = self.site.base()

    def still(self, frame: int, changes: Sequence[Change] = ()) -> tuple[Image, Owners]:
        """Picture RGB (H, W, 3), and which change owns each pixel (H, W), 0 for none.

        Args:
            frame: from the first of the first day.
            changes: planted things of this frame.
        """
        site = self.site
        buffers = self.base.copy()
        slices: list[Slice] = []
        feet: list[Polygon] = []

        def put(piece: Piece, owner: int = 0) -> None:
            if piece.sprite is not None:
                buffers.put(piece.sprite, owner)
            slices.extend(piece.slices)
            feet.extend(piece.feet)

        gone = {name: change.owner for change in changes for name in change.without}
        missing: list[tuple[Sprite, int]] = []
        for name, piece in site.fixtures.items():
            if name not in gone:
                put(piece)
            elif piece.sprite is not None:
                missing.append((piece.sprite, gone[name]))
        for name in site.plants:
            piece = site.plant(name, frame)
            if name not in gone:
                put(piece)
            elif piece.sprite is not None:
                missing.append((piece.sprite, gone[name]))
        for piece in site.visitors(frame):
            put(piece)
        for change in changes:
            for piece in change.pieces:
                put(piece, change.owner)
        for sprite, owner in missing:
            buffers.hide(sprite, owner)
        moment = self._moment(frame)
        light = self.lighting.shade(buffers, moment, slices, feet)
        picture = self.exposure.picture(light, frame, site.weather, moment.lamps)
        return picture, buffers.owner

    def _moment(self, frame: int) -> LightingMoment:
        site, weather = self.site, self.site.weather
        cover = float(weather.cover[frame])
        light = light_at(self.options.taken_at(frame), cover, site.faces_deg)
        rng = np.random.default_rng([self.options.seed, 62, frame])
        drift = tuple(float(step) for step in rng.uniform(0, 250, 2))
        hour = site.hour(frame)
        return LightingMoment(
            light=light,
            hidden=float(weather.hidden[frame]),
            patches=cover if 0.15 < cover < 0.8 else 0.0,
            wet=float(weather.wet[frame]),
            snow=float(weather.snow[frame]),
            fog=float(weather.fog[frame]),
            drift=(drift[0], drift[1]),
            lamps=tuple(lamp for lamp in site.lamps if lamp.burns(light.altitude, hour)),
            tints=site.tints(frame),
            windows=site.windows(frame),
        )


SITES: dict[SiteView, type[Site]] = {SiteView.CARPARK: Carpark, SiteView.GARDEN: Garden}
