"""Events as the command line lists them."""

import shlex
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tlae.number_words import how_many
from tlae.scoring.events import SCENE, Event
from tlae.scoring.results import Scores
from tlae.scoring.thing_kinds import until_words
from tlae.workflows.answers import AnswersReport

MOST_HIDDEN = 5  # named


def shown_and_hidden(scores: Scores) -> list[str]:
    """Lines of the events that are shown, and of those that the user's answers hide."""
    return event_lines(scores.events) + hidden_lines(scores.hidden)


def threshold_words(modes: npt.NDArray[np.object_], thresholds: npt.NDArray[np.float64]) -> str:
    """Alarm threshold of frames; those of each camera mode, the most frequent first, if several.

    Args:
        modes: (N,), of the frames.
        thresholds: (N,), of the frames in raw units, one for each mode.
    """
    levels = {str(mode): float(level) for mode, level in zip(modes, thresholds, strict=True)}
    if len(set(levels.values())) < 2:
        return "".join(f"{level:.4g}" for level in set(levels.values()))
    order = [mode for mode, _ in Counter(map(str, modes)).most_common()]
    return ", ".join(f"{mode} {levels[mode]:.4g}" for mode in order)


def answer_lines(report: AnswersReport) -> list[str]:
    """What answers did."""
    scores = report.scores
    return [
        *(f"{mark.key}: {mark.words} is normal" for mark in report.given),
        *(f"{mark.key}: {mark.words} is called normal no longer" for mark in report.taken_back),
        f"answers: {report.path}",
        f"{how_many(len(scores.events), 'event')} shown",
        *hidden_lines(scores.hidden),
        f"next:    tlae report {shlex.quote(f'scores={scores.folder}')}",
    ]


def hidden_lines(hidden: Sequence[Event]) -> list[str]:
    """What the user's answers hide, and how it is shown again; nothing where they hide nothing."""
    if not hidden:
        return []
    named = [
        f"  {event.id} {event.clip} (from {_when(event)}), like answer {event.hidden_by}"
        for event in hidden[:MOST_HIDDEN]
    ]
    more = [f"  and {len(hidden) - MOST_HIDDEN} more"] * (len(hidden) > MOST_HIDDEN)
    return [
        f"{how_many(len(hidden), 'event')} hidden by your answers "
        f"(answers=false shows all, take_back={hidden[0].hidden_by} takes one back)",
        *named,
        *more,
    ]


def event_lines(events: Sequence[Event], most: int = 5) -> list[str]:
    """The most interesting ones, a line each; then what is wrong with the camera."""
    scenes = [event for event in events if event.kind == SCENE]
    lines = []
    for event in sorted(scenes, key=lambda e: (e.rank or len(events), -(e.peak_raw or 0.0)))[:most]:
        span = f"frames {event.first_frame}-{event.last_frame}"
        where = f" in {event.zone}" if event.zone else ""
        kept = [event.what, until_words(event)] if event.what else ["stays"] * event.stays
        lines.append(
            f"  {event.id} {event.clip} {span}{where} (from {_when(event)}), peak "
            f"{', '.join([f'{event.peak_raw:.4g}', *filter(None, kept)])}"
        )
        if event.reason:
            lines.append(f"        it {event.reason}")
        if event.told_by:
            lines.append(f"        {event.what}: {event.told_by}")
    if len(scenes) > most:
        lines.append(f"  and {len(scenes) - most} more, in events.csv")
    troubles = Counter(event.health for event in events if event.kind != SCENE)
    return lines + [f"  camera {health}: {count} x" for health, count in troubles.items()]


def _when(event: Event) -> str:
    return event.started_at or f"{event.start_s:.1f} s"
