"""Learn what is normal for one fixed camera, score every frame, show what is not.

    import tlae

    model = tlae.train("camera/normal", out="checkpoints/gate")
    scores = tlae.score(model, "camera/today", budget=tlae.Budget(alarms_per_day=2))
    scores.table, scores.events, scores.map_of(120)
    tlae.render(scores, "today.mp4")

The names below are resolved when they are first used, so that importing brings no torch. What works
on plain arrays lies in modules of its own: ``tlae.evaluation`` (metrics), ``tlae.scoring.smooth``
and ``tlae.scoring.error_map`` (smoothing), ``tlae.rendering.overlay`` (drawing). What functions
return has types of their own: ``tlae.scoring.results.Scores``, ``tlae.scoring.events.Event``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlae.api import calibrate, load, open_footage, score, train
    from tlae.api_scores import evaluate, find_events, open_scores, render, report
    from tlae.budget import Budget
    from tlae.live.live import Live

__version__ = "0.1.0"

__all__ = [
    "Budget",
    "Live",
    "calibrate",
    "evaluate",
    "find_events",
    "load",
    "open_footage",
    "open_scores",
    "render",
    "report",
    "score",
    "train",
]

_HOMES = {
    "Budget": "tlae.budget",
    "Live": "tlae.live.live",
    "calibrate": "tlae.api",
    "evaluate": "tlae.api_scores",
    "find_events": "tlae.api_scores",
    "load": "tlae.api",
    "open_footage": "tlae.api",
    "open_scores": "tlae.api_scores",
    "render": "tlae.api_scores",
    "report": "tlae.api_scores",
    "score": "tlae.api",
    "train": "tlae.api",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'tlae' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
