"""Which events happen in which test clip, and when."""

from collections.abc import Sequence

import numpy as np

from tlae.footage.synthetic.options import AnomalyKind, Event, SceneOptions

_PLAN_SEED = 3  # after the backdrop's and the clips'
_CALM_SHARE = 0.25  # of each test clip, before anything happens
_STAY_SHARE = 0.35  # of the clip that an appearing object stays

_ALONE = tuple(kind for kind in AnomalyKind if kind is not AnomalyKind.LIGHT_FLASH)
_TOGETHER = (  # for further clips; pairs that do not share a place
    (AnomalyKind.FAST_MOVER, AnomalyKind.LEFT_BEHIND),
    (AnomalyKind.WRONG_DIRECTION, AnomalyKind.LIGHT_FLASH, AnomalyKind.APPEARING_OBJECT),
    (AnomalyKind.BIG_OBJECT, AnomalyKind.WRONG_DIRECTION),
)


def plan_events(options: SceneOptions) -> list[list[Event]]:
    """Events of each test clip.

    One clip (the third, or the last of fewer) has only a light flash, unless it is the only one.
    The others show every kind at least once, alone where there are enough clips.
    """
    rng = np.random.default_rng([options.seed, _PLAN_SEED])
    busy = max(options.test_clips - 1, 1)
    groups: list[Sequence[AnomalyKind]] = [_ALONE[clip::busy] for clip in range(busy)]
    for clip in range(len(_ALONE), busy):
        groups[clip] = _TOGETHER[(clip - len(_ALONE)) % len(_TOGETHER)]
    if options.test_clips > 1:
        groups.insert(min(2, busy), (AnomalyKind.LIGHT_FLASH,))
    return [_timed(kinds, options.test_frames, rng) for kinds in groups]


def _timed(kinds: Sequence[AnomalyKind], n_frames: int, rng: np.random.Generator) -> list[Event]:
    """Spread events over the middle of a clip."""
    step = 0.55 / len(kinds)
    events = []
    for order, kind in enumerate(kinds):
        share = _CALM_SHARE + step * order + float(rng.uniform(0.0, 0.3)) * step
        first, last = int(n_frames * share), None
        if kind is AnomalyKind.APPEARING_OBJECT:
            last = min(first + round(n_frames * _STAY_SHARE), n_frames - 1)
        events.append(Event(kind, first, last))
    return events
