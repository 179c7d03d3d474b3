"""Which events happen in which test clip, and when."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice

import numpy as np

from tlae.lab.scenes.options import (
    AnomalyKind,
    Depth,
    Kind,
    SceneEvent,
    SceneOptions,
    StreetKind,
    View,
)

_PLAN_SEED = 3  # after the backdrop's and the clips'
_CALM_SHARE = 0.25  # of each test clip, before anything happens
_STAY_SHARE = 0.35  # of the clip that an appearing object stays

_ALONE = tuple(kind for kind in AnomalyKind if kind is not AnomalyKind.LIGHT_FLASH)
_TOGETHER = (  # for further clips; pairs that do not share a place
    (AnomalyKind.FAST_MOVER, AnomalyKind.LEFT_BEHIND),
    (AnomalyKind.WRONG_DIRECTION, AnomalyKind.LIGHT_FLASH, AnomalyKind.APPEARING_OBJECT),
    (AnomalyKind.BIG_OBJECT, AnomalyKind.WRONG_DIRECTION),
)
_IN_STREET = (
    AnomalyKind.FAST_MOVER,
    StreetKind.WRONG_PLACE,
    AnomalyKind.APPEARING_OBJECT,
    StreetKind.STOPPING,
    AnomalyKind.BIG_OBJECT,
    AnomalyKind.LEFT_BEHIND,
)


def plan_events(options: SceneOptions) -> list[list[SceneEvent]]:
    """Events of each test clip.

    One clip (the third, or the last of fewer) has only a light flash, unless it is the only one.
    The others show every kind at least once, on the plaza alone where there are enough clips. In
    the street each of them shows two or more, and ten clips show every kind at every depth.
    """
    rng = np.random.default_rng([options.seed, _PLAN_SEED])
    if options.view == View.DEEP:
        return _street_events(options, rng)
    busy = max(options.test_clips - 1, 1)
    groups: list[Sequence[AnomalyKind]] = [_ALONE[clip::busy] for clip in range(busy)]
    for clip in range(len(_ALONE), busy):
        groups[clip] = _TOGETHER[(clip - len(_ALONE)) % len(_TOGETHER)]
    if options.test_clips > 1:
        groups.insert(min(2, busy), (AnomalyKind.LIGHT_FLASH,))
    return [_timed(kinds, options.test_frames, rng) for kinds in groups]


def _street_events(options: SceneOptions, rng: np.random.Generator) -> list[list[SceneEvent]]:
    busy = max(options.test_clips - 1, 1)
    each = max(2, math.ceil(len(_IN_STREET) / busy))
    depths = tuple(Depth)
    rounds = (
        (kind, depths[(number + order) % 3])
        for number in range(len(depths))
        for order, kind in enumerate(_IN_STREET)
    )
    endless = cycle(rounds)
    plan = []
    for _ in range(busy):
        kinds, places = zip(*islice(endless, each), strict=True)
        timed = _timed(kinds, options.test_frames, rng)
        plan.append([replace(e, depth=d) for e, d in zip(timed, places, strict=True)])
    if options.test_clips > 1:
        plan.insert(min(2, busy), _timed([AnomalyKind.LIGHT_FLASH], options.test_frames, rng))
    return plan


def _timed(kinds: Sequence[Kind], n_frames: int, rng: np.random.Generator) -> list[SceneEvent]:
    """Spread events over the middle of a clip."""
    step = 0.55 / len(kinds)
    events = []
    for order, kind in enumerate(kinds):
        share = _CALM_SHARE + step * order + float(rng.uniform(0.0, 0.3)) * step
        first, last = int(n_frames * share), None
        if kind is AnomalyKind.APPEARING_OBJECT:
            last = min(first + round(n_frames * _STAY_SHARE), n_frames - 1)
        events.append(SceneEvent(kind, first, last))
    return events
