"""Watch one camera: frames in, verdicts, messages and state out, until stopped."""

import logging
import math
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.footage.hours import parse_hours
from tlae.live.live import Live
from tlae.scorable import Scorable, run_name
from tlae.watching.address import Address, Kind
from tlae.watching.arrival import Arrival, Source, Wanted
from tlae.watching.chosen_sinks import sinks_of
from tlae.watching.controls import Controls
from tlae.watching.delivery import Deliveries
from tlae.watching.following import Following
from tlae.watching.keeping_up import KeepingUp
from tlae.watching.messages import Announcer
from tlae.watching.opening import interval_of, required_camera, source_of
from tlae.watching.reader import Reader
from tlae.watching.recording import Recorder
from tlae.watching.room import Room
from tlae.watching.settings import WatchConfig
from tlae.watching.snapshots import PeakPictures, Snapshots
from tlae.watching.status import Status
from tlae.watching.store import FILE, Pending, Store

TICK_S = 0.25
SHOW_EVERY_S = 1.0
STATUS_EVERY_S = 2.0
ANSWERS_EVERY_S = 1.0
COMMIT_EVERY_S = 2.0
STATE_BYTES_S = 1e6  # of state written in a second, at most
FORGET_EVERY_S = 3600.0
MOST_PENDING = 100_000  # scores held in memory while the disk takes nothing

Show = Callable[[str], None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WatchReport:
    """What a watch did.

    Attributes:
        folder: of its results.
        scored: frames.
        dropped: frames that a newer one replaced before they were scored.
        unreadable: files and pictures that gave no frame, or one of another shape.
        events: so far, those of earlier runs included.
        hidden: of these, by the user's answers.
        waiting: messages that have not arrived.
    """

    folder: Path
    scored: int
    dropped: int
    unreadable: int
    events: int
    hidden: int
    waiting: int


class Watch:
    """A watch that runs.

    Args:
        cfg: settings.
        model: trained.
        address: of the camera.
        store: what survives a kill.
        folder: of the results.
    """

    def __init__(
        self, cfg: WatchConfig, model: Scorable, address: Address, store: Store, folder: Path
    ) -> None:
        self._cfg, self._address = cfg, address
        self._store, self._folder = store, folder
        self._budget = cfg.scoring or model.budget
        self._room = Room(folder, cfg.keep)
        self._recorder = Recorder(folder, cfg.clip, self._room) if cfg.clip.record else None
        name = cfg.name or folder.resolve().name
        interval_s = interval_of(address, cfg.camera, model.calibration.interval_s)
        before = store.facts()
        self._facts = self._own_facts(before, model, interval_s)
        live = Live(
            model,
            cfg.scoring,
            events=cfg.events,
            interval_s=interval_s,
            device=cfg.device,
            skip_calm=cfg.skip_calm,
            answers=cfg.answers,
        )
        self._controls = self._begun_controls(before, live.threshold)
        self._following = self._begun(model, live, name)
        if "events" in before:
            is_same = before.get("reading") == self._facts["reading"]
            self._following.go_on(before, store.live_state() if is_same else None)
        self._source = self._opened(model, name, interval_s, is_new="camera" not in before)
        is_live = address.kind in (Kind.STREAM, Kind.DEVICE, Kind.PICTURE)
        self._status = Status(
            {"camera": name, "source": address.shown, "model": run_name(Path(cfg.model_file))},
            self._source.counts,
            cfg.camera.stalled_s + interval_s if is_live else 0.0,
        )
        watch_id, opened = self._facts["watch_id"], self._following.open_ids
        sinks = sinks_of(cfg, folder, watch_id, opened, self._controls)
        self._deliveries = Deliveries(store, sinks)
        self._is_dirty, self._state_bytes = bool(self._following.pending.messages), 0
        self._is_unwritten = False
        self._committed_s = self._shown_s = self._wrote_s = self._forgot_s = -math.inf
        self._asked_s = -math.inf

    def _own_facts(
        self, before: dict[str, Any], model: Scorable, interval_s: float
    ) -> dict[str, Any]:
        """What the folder knows its watch by; a state fits only what was read in the same way."""
        return {
            "camera": required_camera(self._address, before, self._folder),
            "watch_id": before.get("watch_id") or secrets.token_hex(6),
            "reading": {
                "model": model.digest(),
                "scoring": asdict(self._cfg.scoring),
                "events": asdict(self._cfg.events),
                "interval_s": interval_s,
            },
        }

    def _begun_controls(self, before: dict[str, Any], threshold: float) -> Controls:
        """As they were left; a threshold for another model or budget is void."""
        state = dict(before.get("controls", {}))
        if before.get("reading") != self._facts["reading"] and state.pop("threshold", None):
            logger.warning("model or settings changed: the threshold is again as they say")
        hours = parse_hours(self._cfg.quiet_hours, "quiet_hours")
        return Controls(state, hours, threshold)

    def _begun(self, model: Scorable, live: Live, name: str) -> Following:
        snapshots = Snapshots(
            self._folder,
            model.watched_places,
            local=model.rule.reduction != "mean",
        )
        peaks = PeakPictures(snapshots)
        watch_id = self._facts["watch_id"]
        is_quiet = self._controls.is_quiet
        update_s = self._cfg.update_s
        announcer = Announcer(name, watch_id, update_s, peaks.draw, self._recorder, is_quiet)
        return Following(live, announcer, peaks)

    def _opened(self, model: Scorable, name: str, interval_s: float, *, is_new: bool) -> Source:
        preprocessing = model.preprocessing
        wanted = Wanted(
            name,
            interval_s,
            preprocessing.size_hw,
            preprocessing.levels,
            replace(self._following.progress),
            is_new,
        )
        return source_of(self._address, self._cfg.camera, self._store, wanted, self._recorder)

    def run(self, stop: threading.Event, show: Show) -> WatchReport:
        """Watch until stopped, or until a file ends.

        Args:
            stop: set it to end the watch; what goes on then continues with the next start.
            show: takes a line about the state, about once a second.

        Raises:
            UserError: the camera gives nothing from the start, or what was found could not be
                written to the end.
        """
        with self._deliveries:
            self._commit()
            reader = Reader(self._source)
            try:
                self._watch(reader, stop, show)
            finally:
                reader.close()
                if self._recorder is not None:
                    self._recorder.close()
                self._commit()
        self._write_status()
        if self._is_unwritten:
            raise UserError(
                f"{self._folder / FILE} must be writable, and was not to the end: what was found "
                "since is lost, but for files, which are scored again; make room"
            )
        waiting = sum(self._store.waiting().values())
        events = self._following.events
        scored, counts = self._status.scored, self._source.counts
        lost = counts.dropped, counts.unreadable
        return WatchReport(self._folder, scored, *lost, events.all, events.hidden, waiting)

    def _watch(self, reader: Reader, stop: threading.Event, show: Show) -> None:
        stop_idle_s = self._cfg.camera.stop_idle_s or math.inf
        came_s = time.monotonic()
        keeping_up = KeepingUp(self._source.counts, came_s)
        while not stop.is_set():
            self._hear_controls()
            arrival = reader.take(TICK_S)
            if arrival is not None:
                self._take(arrival)
                came_s = time.monotonic()
            elif reader.is_done:
                self._following.finish()
                self._is_dirty = True
                return
            elif time.monotonic() - came_s >= stop_idle_s:
                return
            if self._status.is_lost and self._following.lose():
                self._is_dirty = True
            self._look_at_answers()
            if self._is_commit_due(is_idle=arrival is None):
                self._commit()
            self._say_how_it_is(show)
            keeping_up.look(time.monotonic())
            self._room.look()

    def _hear_controls(self) -> None:
        """Alarm from now on as somebody asked for."""
        is_changed, threshold = self._controls.take_change()
        if is_changed:
            budget = Budget(threshold) if threshold is not None else self._budget
            self._following.alarm_by(budget)
            self._is_dirty = True
            self._commit()  # who gave the order was told that it counts

    def _look_at_answers(self) -> None:
        """Take up what the user called normal meanwhile."""
        now_s = time.monotonic()
        if now_s - self._asked_s >= ANSWERS_EVERY_S:
            self._asked_s = now_s
            self._is_dirty |= self._following.look_at_answers()

    def _take(self, arrival: Arrival) -> None:
        source = self._source
        verdict = self._following.take(arrival, source.counts, keeps_all=source.keeps_all)
        self._is_dirty = True
        if verdict is not None:
            self._status.scored_one(verdict, arrival.at_s)
            self._controls.see(verdict.threshold)

    def _is_commit_due(self, *, is_idle: bool) -> bool:
        if not self._is_dirty or self._following.pending.messages:
            return self._is_dirty
        least_s = self._state_bytes / STATE_BYTES_S
        if not is_idle:
            least_s = max(least_s, COMMIT_EVERY_S)
        return time.monotonic() - self._committed_s >= least_s

    def _commit(self) -> None:
        """Write what was found in one transaction; a disk that takes nothing is tried again."""
        if not self._is_dirty:
            return
        following = self._following
        state = following.state()
        self._committed_s = time.monotonic()
        names = self._deliveries.names
        try:
            facts = self._facts | following.facts() | {"controls": self._controls.state()}
            self._store.commit(following.pending, facts, state, names)
            if self._committed_s - self._forgot_s > FORGET_EVERY_S:
                self._store.forget(self._cfg.keep, names)
                self._forgot_s = self._committed_s
        except sqlite3.Error as error:
            if not self._is_unwritten:
                logger.warning("%s cannot be written: %s; trying again", self._folder / FILE, error)
            self._is_unwritten = True
            del following.pending.scores[:-MOST_PENDING]
            return
        self._is_unwritten = False
        following.pending, self._is_dirty = Pending(), False
        self._state_bytes = len(state)
        self._deliveries.wake()

    def _say_how_it_is(self, show: Show) -> None:
        now_s = time.monotonic()
        if now_s - self._shown_s >= SHOW_EVERY_S:
            self._shown_s = now_s
            waiting = sum(self._store.waiting().values())
            show(self._status.line(self._following.events, waiting))
        if now_s - self._wrote_s >= STATUS_EVERY_S:
            self._wrote_s = now_s
            self._write_status()

    def _write_status(self) -> None:
        following = self._following
        sinks = self._deliveries.as_json()
        facts = self._status.as_json(following.events, following.odd_times, sinks)
        self._status.write(self._folder, facts)
