"""One frame in, one verdict out: scoring as frames arrive, in bounded memory.

Scores, thresholds, alarms and events are those of `tlae score` with ``scoring.causal=true`` on the
same frames; the one thing that takes the whole of an event's maps, whether it stayed at one place,
is not said. Kinds of things are told by the pictures so far.
"""

import logging
import math
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.budget import Budget, require_budget
from tlae.camera.another_view import ArrivingView
from tlae.camera.watch import UNOBSERVED, CameraWatch, WatchState
from tlae.errors import UserError, refusing_bad_values, require_known
from tlae.footage.clock import ArrivingClock
from tlae.footage.frames import OK, WARM_UP, Image
from tlae.footage.images import to_grey_levels
from tlae.footage.unlike_training import UnlikeTraining
from tlae.live_state import pack, unpack
from tlae.scorable import Scorable
from tlae.scoring import areas
from tlae.scoring.calibrate import Calibration, threshold_of
from tlae.scoring.current_answers import CurrentAnswers
from tlae.scoring.event_follower import EventFollower
from tlae.scoring.event_rule import EventRule
from tlae.scoring.events import SEEING, Event
from tlae.scoring.live_things import LiveThings
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scored_frames import Scored
from tlae.scoring.smooth_time import CausalSmoothing
from tlae.scoring.stored_maps import FloatMap
from tlae.scoring.stretch import Moment
from tlae.setting_rules import within

When = datetime | float
KEPT = ("_clip", "_frame", "_began", "_first", "_last_s", "_at_s", "_to_cut")  # of a ``Live``

logger = logging.getLogger(__name__)

RULE_SETTINGS = tuple(field.name for field in fields(ScoringRule))


@dataclass(frozen=True, eq=False)
class LiveScore:
    """What is said of one frame.

    Attributes:
        frame: 0-based in its clip.
        time_s: since its clip began [s].
        raw: score in raw units, smoothed over the frames before; NaN: no verdict yet.
        instant: the same before it is smoothed.
        score: share of normal footage that is calmer, in [0, 1]; NaN: not known.
        threshold: alarm above it, in raw units; infinite: no alarms.
        alarm: whether the frame is in alarm.
        map: (h, w) float32, smoothed error in raw units.
        reason: why the worst place is unusual, after "it"; empty where the model does not say.
        example: number of the most similar normal thing in ``Live.examples``; -1: none.
        mode: of the camera; "" where there is but one.
        health: of the camera, see docs/camera.md.
        state: "ok", or "warm-up" before the net has seen a whole window.
        skipped: whether the net was spared because nothing happened.
        event: the event of the scene that goes on, so far, the strongest that no answer hides;
            None: there is none.
        going_on: all events of the scene that go on, so far, hidden ones included.
        ended: events that are over since the frame before.
    """

    frame: int
    time_s: float
    raw: float
    instant: float
    score: float
    threshold: float
    alarm: bool
    map: FloatMap
    reason: str
    example: int
    mode: str
    health: str
    state: str
    skipped: bool
    event: Event | None
    going_on: tuple[Event, ...]
    ended: tuple[Event, ...]

    @classmethod
    def of(
        cls,
        moment: Moment,
        error: FloatMap,
        instant: float,
        example: int,
        skipped: bool,
        events: tuple[list[Event], list[Event]],
    ) -> "LiveScore":
        """What is said of a moment, with its map and its events: going on, and ended."""
        shown = [event for event in events[0] if not event.hidden_by]
        return cls(
            frame=moment.frame,
            time_s=moment.time_s,
            raw=moment.raw,
            instant=instant,
            score=moment.score,
            threshold=moment.threshold,
            alarm=moment.in_alarm,
            map=error,
            reason=moment.reason,
            example=example,
            mode=moment.mode,
            health=moment.health,
            state=WARM_UP if math.isnan(instant) else OK,
            skipped=skipped,
            event=max(shown, key=lambda event: event.peak_raw or 0.0, default=None),
            going_on=tuple(events[0]),
            ended=tuple(events[1]),
        )


class Live:
    """Score frames as they arrive.

    Args:
        model: trained or exported model.
        budget: what makes an alarm; None: as the model was trained.
        events: when alarms are one event; nothing is accepted as normal after a time.
        interval_s: median time between frames [s]; None: as in the training footage.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        settings: of the scoring rule, such as ``{"smooth_frames": 0}``; it is always causal.
        skip_calm: spare the net where nothing happens, as `tlae score` does.
        answers: whether the user's answers beside the model hide things; a path: the model file
            beside which they lie, where the model does not know its own.

    Raises:
        UserError: the model's calibration does not hold for causal scoring, a setting is wrong, or
            the file of answers is damaged.

    Example:
        >>> import numpy as np, tlae
        >>> frames = np.random.default_rng(0).integers(0, 99, (60, 32, 48), np.uint8)
        >>> small = {"footage.size_hw": [32, 48]}
        >>> model = tlae.train(frames, "copy_last", out="gate", settings=small)
        >>> live = tlae.Live(model, budget=tlae.Budget(threshold=0.5))
        >>> [live.push(frame, 0.1 * number).alarm for number, frame in enumerate(frames[:3])]
        [False, False, False]
    """

    def __init__(
        self,
        model: Scorable,
        budget: Budget | None = None,
        *,
        events: EventRule | None = None,
        interval_s: float | None = None,
        device: str = "auto",
        settings: dict[str, Any] | None = None,
        skip_calm: bool = True,
        answers: bool | Path = True,
    ) -> None:
        if not hasattr(model, "scorer"):
            raise UserError(
                f"model must be a loaded model, got {model!r}; load it with tlae.load(model_file)"
            )
        for key in settings or {}:
            require_known(key, RULE_SETTINGS, "setting of the scoring rule")
        with refusing_bad_values():
            within("interval_s", interval_s, 0, open_low=True)
            self._rule = model.rule.changed_by({**(settings or {}), "causal": True})
        budget, events = require_budget(budget) or model.budget, events or EventRule()
        if events.accept_after_h is not None:
            raise UserError("accept_after_h needs stored maps; use `tlae events` for it")
        self._differ = model.differing(self._rule)
        self._calibration: Calibration | None = None
        if not self._differ:
            smooth = self._rule.smooth_frames
            self._calibration = model.calibration.smoothed(smooth, causal=True)
        self.change_budget(budget)
        self._model, self._events = model, events
        self._interval_s = model.calibration.interval_s if interval_s is None else interval_s
        self._scorer = model.scorer(self._rule, device, skip_calm=skip_calm)
        self._watch = None if model.camera is None else CameraWatch(model.camera)
        self._smoothing = CausalSmoothing(self._rule.smooth_frames)
        self._follows_things = events.follows_things(self._interval_s, self._rule.reduction)
        score_of = partial(areas.score_of, self._calibration) if self._follows_things else None
        self._follower = EventFollower(events, self._interval_s, score_of)
        file = model.file if answers is True else answers or None
        self._answers = CurrentAnswers(file) if file and self._follows_things else None
        self._things = LiveThings(self._answers)
        learnt_s = model.calibration.interval_s
        self._unlike = UnlikeTraining(model.source_hw, learnt_s, model.gap_s)
        self._odd_times = ArrivingClock(self._interval_s)
        self._view: ArrivingView | None = None
        if self._follows_things and model.camera is not None:
            self._view = ArrivingView(model.camera.bank.rough_edges)
        self._clip, self._frame, self._to_cut = 0, -1, True
        self._began: When | None = None  # the first frame of the clip
        self._first: When | None = None  # the first frame of all
        self._last_s, self._at_s = math.nan, 0.0  # of the frame before: in its clip, in all

    @property
    def examples(self) -> Image:
        """Pictures of normal things, (n, h, w, C); empty where the model keeps none."""
        return self._model.examples()

    @property
    def threshold(self) -> float:
        """Alarm above it, in raw units; infinite: no alarms. Camera modes may have others."""
        return self._threshold.value

    @property
    def unlike_training(self) -> list[str]:
        """Why scores may mean little: sentences on the shape, pace or view of the frames."""
        view = "" if self._view is None else self._view.sentence
        return [one for one in (self._unlike.shape, self._unlike.pace, view) if one]

    @property
    def odd_times(self) -> dict[str, int]:
        """How often times or sizes of frames were odd, by kind: a clock set back, and so on."""
        return dict(self._odd_times.found)

    def change_budget(self, budget: Budget) -> None:
        """Alarm by another budget from the next frame on; an event that goes on is not cut.

        Raises:
            UserError: the model's calibration does not hold for causal scoring.
        """
        if self._differ and budget.threshold is None:
            raise UserError(
                f"the model was calibrated with another {', '.join(self._differ)} than causal "
                "scoring has; train with scoring.causal=true, or give a fixed threshold"
            )
        self._threshold = threshold_of(self._calibration, budget)

    def look_at_answers(self) -> bool:
        """Read the user's answers again if their file changed; returns whether it did."""
        return self._answers is not None and self._answers.look()

    def hidden_by(self, event: Event, size_hw: tuple[int, int]) -> str:
        """Key of the answer that hides an event of earlier, "" for none.

        Args:
            event: as it was told.
            size_hw: of the picture that its box is of [px].
        """
        return "" if self._answers is None else self._answers.of(event, size_hw)

    def cut(self) -> None:
        """What comes next is another clip: nothing of the past counts for it."""
        if self._frame >= 0:
            self._clip, self._frame, self._to_cut = self._clip + 1, -1, True

    def push(
        self,
        image: npt.NDArray[Any],
        when: When | None = None,
        source_hw: tuple[int, int] | None = None,
    ) -> LiveScore:
        """Score the next frame.

        Args:
            image: (H, W, 3) RGB or (H, W) grey, uint8; of 16 bits or floating-point numbers where
                the model was trained on such.
            when: wall-clock time, or seconds; None: ``interval_s`` after the frame before.
            source_hw: size of the camera's picture [px], where ``image`` is a reduced one.

        Raises:
            UserError: the picture or its time is of another kind.
        """
        picture = self._as_rgb(image)
        prepared = self._model.preprocessing(picture)
        time_s, at_s, taken_at = self._time_of(when)
        source_hw = source_hw or (picture.shape[0], picture.shape[1])
        step_s = math.nan if self._to_cut else at_s - self._at_s
        odd = self._unlike.see(source_hw, step_s)
        at = "" if taken_at is None else f", at {taken_at:%Y-%m-%d %H:%M:%S}"
        odd += [sentence + at for sentence in self._odd_times.see(step_s, source_hw)]
        if self._view is not None and (news := self._view.see(prepared, at_s)):
            odd.append(news)
        for sentence in odd:
            logger.warning("note: %s", sentence)
        cut, forget = self._begins_anew(time_s), self._to_cut and taken_at is None
        self._frame, self._last_s, self._at_s, self._to_cut = self._frame + 1, time_s, at_s, False
        mode, health = str(UNOBSERVED["mode"]), str(UNOBSERVED["health"])
        if self._watch is not None:
            ((seen,), _) = self._watch.push(str(self._clip), prepared[None])
            prepared, mode, health = seen.picture, seen.mode, str(seen.health)
        instant, scored = self._scored(prepared)
        error, reason = scored.maps[0], str(scored.reason[0])
        is_smoothed = not math.isnan(instant) and health in SEEING
        raw = self._smoothing.push(instant) if is_smoothed else instant
        modes = np.array([mode], dtype=object)
        score, levels = math.nan, self._threshold.of(modes)
        if self._calibration is not None:
            score = float(self._calibration.calibrated(np.array([raw]), modes)[0])
        moment = Moment(
            clip=str(self._clip),
            frame=self._frame,
            time_s=time_s,
            at_s=at_s,
            taken_at=taken_at,
            raw=raw,
            score=score,
            threshold=float(levels[0]),
            low=float(self._events.low_level(levels, modes, self._calibration)[0]),
            mode=mode,
            health=health,
            map=None if self._rule.reduction == "mean" else error,
            reason=reason,
            source_hw=source_hw,
        )
        self.look_at_answers()
        ended = self._told(self._follower.push(moment, cut=cut, forget=forget), so_far=False)
        if self._follows_things:
            self._things.see(moment, picture, self._follower.things)
        events = self._told(self._follower.of_scene), ended
        found = int(scored.example[0]), bool(scored.skipped[0])
        return LiveScore.of(moment, error, instant, *found, events)

    def finish(self) -> list[Event]:
        """Events that go on when no further frame comes."""
        return self._told(self._follower.finish(), so_far=False)

    @property
    def going_on(self) -> list[Event]:
        """Events that go on, so far, without a number: of the scene and of the camera."""
        return self._told(self._follower.going_on)

    def state(self) -> bytes:
        """All that the frames so far leave behind, for ``restore``."""
        facts = {
            "live": {name: getattr(self, name) for name in KEPT},
            "past": None if self._watch is None else self._watch.past._asdict(),
            "smoothing": self._smoothing.carried,
            "follower": self._follower.state(),
            "things": self._things.state(),
        }
        return pack(facts, self._scorer.state(), self._scorer.framework)

    def restore(self, state: bytes) -> None:
        """Go on from ``state`` of the same model and settings; ``ValueError``: it is damaged."""
        facts, tensors = unpack(state, self._scorer.framework)
        for name in KEPT:
            setattr(self, name, facts["live"][name])
        if self._watch is not None:
            self._watch.past = WatchState(**facts["past"])
        self._smoothing.carried = facts["smoothing"]
        self._follower.restore(facts["follower"])
        if "things" in facts:  # states of before pictures told kinds have none
            self._things.restore(facts["things"])
        self._scorer.restore(tensors)

    def _told(self, events: list[Event], *, so_far: bool = True) -> list[Event]:
        """Events with what pictures and answers say of them."""
        return [self._things.told(event, so_far=so_far) for event in events]

    def _begins_anew(self, time_s: float) -> bool:
        """Whether footage ended before a frame; then nothing of the past counts for it."""
        gap_s, step_s = self._model.gap_s, time_s - self._last_s
        cut = self._to_cut or step_s < 0 or 0 < gap_s < step_s
        if cut:
            self._scorer.reset()
            self._smoothing.reset()
        return cut

    def _scored(self, prepared: Image) -> tuple[float, Scored]:
        """Score of a frame before smoothing in time, with all that was measured."""
        scored = self._scorer.push(prepared[None])
        instant = float(scored.instant[0])
        if not (math.isnan(instant) or scored.is_finite[0]):
            raise UserError(
                "scores must be finite numbers, the model gives others; train it again with a "
                "lower training.learning_rate"
            )
        return instant, scored

    def _as_rgb(self, image: npt.NDArray[Any]) -> Image:
        levels = self._model.preprocessing.levels
        if not isinstance(image, np.ndarray):
            raise UserError(f"a picture must be an array (H, W) or (H, W, 3), got {image!r:.80}")
        fits = image.ndim == 2 or (image.ndim == 3 and image.shape[-1] in (1, 3))
        if not fits or not image.size:
            raise UserError(f"a picture must be (H, W) or (H, W, 3), not empty, got {image.shape}")
        if levels is not None and image.dtype != np.uint8:
            image = to_grey_levels(np.asarray(image, np.float64), levels)
        if image.dtype != np.uint8:
            raise UserError(f"a picture must be of type uint8, got {image.dtype}; convert it")
        if image.ndim == 2 or image.shape[-1] == 1:
            return np.asarray(cv2.cvtColor(image.reshape(image.shape[:2]), cv2.COLOR_GRAY2RGB))
        return image

    def _time_of(self, when: When | None) -> tuple[float, float, datetime | None]:
        """Seconds since the clip began and since the first frame, and the wall-clock time."""
        if when is None:
            if isinstance(self._first, datetime):
                raise UserError("frames with and without a time must not be mixed; give each one")
            when = 0.0 if self._first is None else self._at_s + self._interval_s
        finite = isinstance(when, datetime) or (isinstance(when, Real) and math.isfinite(when))
        if not finite or when != when:  # NaT of pandas is a datetime
            raise UserError(f"a time must be a datetime or finite seconds, got {when!r}")
        if isinstance(when, datetime) and when.tzinfo is not None:
            when = when.astimezone().replace(tzinfo=None)
        self._first = when if self._first is None else self._first
        self._began = when if self._to_cut or self._began is None else self._began
        taken_at = when if isinstance(when, datetime) else None
        return _between(self._began, when), _between(self._first, when), taken_at


def _between(first: When, when: When) -> float:
    """Time from one to the other [s]."""
    if isinstance(first, datetime) and isinstance(when, datetime):
        return (when - first).total_seconds()
    if isinstance(first, datetime) or isinstance(when, datetime):
        raise UserError("times must all be datetimes or all be seconds, got both")
    return float(when) - float(first)
