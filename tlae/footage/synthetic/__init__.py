"""Synthetic footage of one fixed camera, with exact masks and labels of what is not normal."""

from tlae.footage.synthetic.clip import build_backdrop, render_clip
from tlae.footage.synthetic.options import (
    AnomalyKind,
    Depth,
    Event,
    SceneOptions,
    StreetKind,
    View,
)
from tlae.footage.synthetic.plan import plan_events
from tlae.footage.synthetic.writer import EventRecord, SceneSummary, write_scene

__all__ = [
    "AnomalyKind",
    "Depth",
    "Event",
    "EventRecord",
    "SceneOptions",
    "SceneSummary",
    "StreetKind",
    "View",
    "build_backdrop",
    "plan_events",
    "render_clip",
    "write_scene",
]
