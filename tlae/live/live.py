"""One frame in, one verdict out: scoring as frames arrive, in bounded memory.

Scores, thresholds, alarms and events are those of `tlae score` with ``scoring.causal=true`` on the
same frames; the one thing that takes the whole of an event's maps, whether it stayed at one place,
is not said. Kinds of things are told by the pictures so far.
"""

import math
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.budget import Budget, require_budget
from tlae.camera.watch import UNOBSERVED, CameraWatch, WatchState
from tlae.errors import UserError, refusing_bad_values, require_known
from tlae.footage.frames import Image
from tlae.footage.images import to_grey_levels
from tlae.live.notes import LiveNotes
from tlae.live.score import LiveScore
from tlae.live.state import pack, unpack
from tlae.live.times import ArrivalTimes, When
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
from tlae.scoring.stretch import Moment
from tlae.setting_rules import within

RULE_SETTINGS = tuple(field.name for field in fields(ScoringRule))


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
        self._notes = LiveNotes(model, self._interval_s, sees_view=self._follows_things)
        self._times = ArrivalTimes(self._interval_s, model.gap_s)

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
        return self._notes.unlike_training

    @property
    def odd_times(self) -> dict[str, int]:
        """How often times or sizes of frames were odd, by kind: a clock set back, and so on."""
        return self._notes.odd_times

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
        self._times.cut()

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
        arrival = self._times.take(when)
        source_hw = source_hw or (picture.shape[0], picture.shape[1])
        self._notes.see(prepared, arrival, source_hw)
        if arrival.cut:
            self._scorer.reset()
            self._smoothing.reset()
        mode, health = str(UNOBSERVED["mode"]), str(UNOBSERVED["health"])
        if self._watch is not None:
            ((seen,), _) = self._watch.push(str(arrival.clip), prepared[None])
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
            clip=str(arrival.clip),
            frame=arrival.frame,
            time_s=arrival.time_s,
            at_s=arrival.at_s,
            taken_at=arrival.taken_at,
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
        over = self._follower.push(moment, cut=arrival.cut, forget=arrival.forget)
        ended = self._told(over, so_far=False)
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
            "times": self._times.state(),
            "past": None if self._watch is None else self._watch.past._asdict(),
            "smoothing": self._smoothing.carried,
            "follower": self._follower.state(),
            "things": self._things.state(),
        }
        return pack(facts, self._scorer.state(), self._scorer.framework)

    def restore(self, state: bytes) -> None:
        """Go on from ``state`` of the same model and settings; ``ValueError``: it is damaged."""
        facts, tensors = unpack(state, self._scorer.framework)
        if not {"times", "past", "smoothing", "follower", "things"} <= set(facts):
            raise ValueError("a state of live scoring must be of this version of tlae")
        self._times.restore(facts["times"])
        if self._watch is not None:
            self._watch.past = WatchState(**facts["past"])
        self._smoothing.carried = facts["smoothing"]
        self._follower.restore(facts["follower"])
        self._things.restore(facts["things"])
        self._scorer.restore(tensors)

    def _told(self, events: list[Event], *, so_far: bool = True) -> list[Event]:
        """Events with what pictures and answers say of them."""
        return [self._things.told(event, so_far=so_far) for event in events]

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
