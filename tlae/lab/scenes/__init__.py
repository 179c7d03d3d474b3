"""Synthetic footage of one fixed camera, with exact masks and labels of what is not normal."""

from tlae.lab.scenes.clip import build_backdrop, render_clip
from tlae.lab.scenes.options import (
    AnomalyKind,
    Depth,
    SceneEvent,
    SceneOptions,
    StreetKind,
    View,
)
from tlae.lab.scenes.plan import plan_events
from tlae.lab.scenes.writer import EventRecord, SceneSummary, write_scene

__all__ = [
    "AnomalyKind",
    "Depth",
    "EventRecord",
    "SceneEvent",
    "SceneOptions",
    "SceneSummary",
    "StreetKind",
    "View",
    "build_backdrop",
    "plan_events",
    "render_clip",
    "write_scene",
]
