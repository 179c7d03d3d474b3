"""Real normal footage with planted anomalies, of which every frame and pixel is known."""

from tlae.lab.planting.options import EVENTS, CannotPlantError, Kind, PlantOptions
from tlae.lab.planting.writer import PlantSummary, plant_footage

__all__ = ["EVENTS", "CannotPlantError", "Kind", "PlantOptions", "PlantSummary", "plant_footage"]
