"""Real time-lapse footage with planted objects and nuisances, of which every pixel is known."""

from tlae.lab.planting.stills.options import (
    CALIBRATION,
    CLEAN,
    FAMILIES,
    OBJECTS,
    PLANTED,
    StillOptions,
)
from tlae.lab.planting.stills.writer import StillSummary, plant_stills

__all__ = [
    "CALIBRATION",
    "CLEAN",
    "FAMILIES",
    "OBJECTS",
    "PLANTED",
    "StillOptions",
    "StillSummary",
    "plant_stills",
]
