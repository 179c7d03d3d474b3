"""Where the sun stands, and how much light of which colour sun and sky give.

The position follows the usual short formulas (declination from the day of the year, hour angle
from the clock), good to about a degree. Light is linear RGB; full sun on a surface that faces it
is about 3, a clear sky at noon about 1, a moonless night below 0.001.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

LATITUDE = math.radians(48.0)
EXTINCTION = np.array([0.10, 0.16, 0.29], np.float32)  # of red, green, blue, per air mass
SUN, BLUE_SKY, GREY_SKY = 3.4, (0.33, 0.44, 0.66), (0.70, 0.73, 0.77)
NIGHT = np.array([0.0011, 0.0010, 0.0011], np.float32)  # the glow of a town
LOWEST_SIN = 0.05  # shadows grow no longer than twenty times their thing


@dataclass(frozen=True)
class Light:
    """Sun and sky at one moment.

    Attributes:
        altitude: of the sun over the horizon, in degrees.
        towards_sun: unit vector (3,) of the scene: x right, y up, z away from the camera.
        sun: light (3,) on a surface that faces the sun, without clouds before it.
        sky: light (3,) of the whole sky on level ground.
        cover: share of the sky that clouds hide, 0 to 1.
    """

    altitude: float
    towards_sun: Floats
    sun: Floats
    sky: Floats
    cover: float


def sun_position(at: datetime) -> tuple[float, float]:
    """Altitude, and azimuth from north over east, in radians; noon is 12:00."""
    day = at.timetuple().tm_yday
    declination = math.radians(-23.44) * math.cos(2 * math.pi * (day + 10) / 365.25)
    hour = at.hour + at.minute / 60 + at.second / 3600
    angle = math.radians(15 * (hour - 12))
    sine = math.sin(LATITUDE) * math.sin(declination)
    sine += math.cos(LATITUDE) * math.cos(declination) * math.cos(angle)
    altitude = math.asin(sine)
    south = math.sin(LATITUDE) * math.cos(angle) - math.cos(LATITUDE) * math.tan(declination)
    azimuth = math.atan2(math.sin(angle), south) + math.pi
    return altitude, azimuth


def light_at(at: datetime, cover: float, faces_deg: float) -> Light:
    """Light under a sky of which clouds cover a share.

    Args:
        at: wall-clock time.
        cover: 0 (clear) to 1 (overcast).
        faces_deg: where the camera looks, from north over east.
    """
    altitude, azimuth = sun_position(at)
    turned = azimuth - math.radians(faces_deg)
    level = max(math.cos(altitude), 1e-3)
    up = max(math.sin(altitude), LOWEST_SIN)
    vector = np.array([math.sin(turned) * level, up, math.cos(turned) * level], np.float32)
    degrees = math.degrees(altitude)
    sine = max(math.sin(altitude), 0.0)
    mass = 1 / (sine + 0.15 * (max(degrees, 0.0) + 3.885) ** -1.253)
    risen = min(1.0, max(0.0, (degrees + 0.3) / 1.5))
    sun = SUN * np.exp(-EXTINCTION * mass) * risen * (1 - cover) ** 0.5 * (cover < 0.85)
    twilight = 0.055 * math.exp(min(degrees, 0.0) / 2.0)
    clear = np.array(BLUE_SKY, np.float32) * (twilight + 0.75 * sine**0.6)
    if degrees < 6:  # the glow of dusk
        warm = math.exp(-((degrees + 1) ** 2) / 14)
        clear = clear * (1 + warm * np.array([0.55, 0.1, -0.05], np.float32))
    grey = np.array(GREY_SKY, np.float32) * (0.8 * twilight + 1.1 * sine)
    sky = clear * (1 - cover) + grey * cover + NIGHT * (1 + cover)
    vector /= np.linalg.norm(vector)
    return Light(degrees, vector, sun.astype(np.float32), sky.astype(np.float32), cover)
