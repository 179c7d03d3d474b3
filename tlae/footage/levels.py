"""From counts of a 16-bit or floating-point camera to grey levels, as fitted to the footage."""

import io
import warnings
from typing import NamedTuple

import numpy as np
from PIL import Image as Pillow

from tlae.footage.frames import Clip
from tlae.footage.images import DEEP_MODES, Levels
from tlae.footage.sampling import SampledClip
from tlae.footage.sources import Footage
from tlae.footage.sources.image_folder import ImageClip
from tlae.footage.sources.listing import join

SAMPLED_PICTURES = 64  # of the footage, from the first to the last
GREY_MODES = DEEP_MODES | {"1", "L", "LA"}
PERCENTILES = (0.1, 99.9)  # few hot or dead pixels do not count
MARGIN = 0.25  # of the range between them, kept free at either end for what is not normal


class Depths(NamedTuple):
    """What a sample of pictures holds.

    Attributes:
        pictures: readable ones that were looked at.
        grey: of them, those that hold no colours; a colour picture of a grey night is none.
        deep: of them, grey pictures of 16 bits or of floating-point numbers.
        levels: fitted to the deep ones; None without any.
    """

    pictures: int
    grey: int
    deep: int
    levels: Levels | None

    @property
    def are_deep(self) -> bool:
        """Whether most are."""
        return 2 * self.deep > self.pictures


def look_at_depths(footage: Footage) -> Depths:
    """Look at stills spread over the footage; videos are taken to have 8 bits."""
    places = [
        (clip, number)
        for clip in map(_whole, footage.clips)
        if isinstance(clip, ImageClip)
        for number in range(len(clip.names))
    ]
    chosen = np.linspace(0, len(places) - 1, min(len(places), SAMPLED_PICTURES)).astype(int)
    pictures = grey = deep = 0
    lows: list[float] = []
    highs: list[float] = []
    for place in chosen:
        clip, number = places[place]
        try:
            with clip.files.reader() as read:
                data = read(join(clip.folder, clip.names[number]))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about odd EXIF
                with Pillow.open(io.BytesIO(data)) as picture:
                    is_grey = picture.mode in GREY_MODES
                    pictures, grey = pictures + 1, grey + is_grey
                    if picture.mode not in DEEP_MODES:
                        continue
                    values = np.asarray(picture, np.float64)
        except Exception:  # Unreadable, and Pillow's errors of every kind
            continue
        deep += 1
        if (finite := values[np.isfinite(values)]).size:
            low, high = np.percentile(finite, PERCENTILES)
            lows.append(float(low))
            highs.append(float(high))
    return Depths(pictures, grey, deep, _levels(lows, highs) if lows else None)


def _levels(lows: list[float], highs: list[float]) -> Levels:
    low, high = min(lows), max(highs)
    if high <= low:  # one value throughout
        low, high = low - 0.5, low + 0.5
    margin = MARGIN * (high - low)
    return low - margin, high + margin


def _whole(clip: Clip) -> Clip:
    return clip.clip if isinstance(clip, SampledClip) else clip
