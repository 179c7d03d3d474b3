"""What goes wrong in scoring ahead is known at once, and its thread never outlasts its block."""

import time
from threading import Event
from typing import Any

import pytest

from tests.small_footage import raises_at
from tlae.errors import UserError
from tlae.scoring import ahead as ahead_module
from tlae.scoring.ahead import LEAST_FRAMES, ScoringAhead


class LongStore:
    def __len__(self) -> int:
        return LEAST_FRAMES

    def so_far(self) -> "LongStore":
        return self


def add_frames(ahead: ScoringAhead) -> None:
    store: Any = LongStore()
    with ahead:
        for _ in range(1000):
            ahead.follow(store)
            time.sleep(0.01)
        pytest.fail("the error was not raised")


def test_an_error_of_the_job_ends_what_fills_the_store() -> None:
    def broken(*given: Any) -> Any:
        raise UserError("frames do not fit the net")

    with pytest.raises(UserError, match="do not fit"):
        add_frames(ScoringAhead(broken, broken, broken, batch_frames=8, gap_s=0.0))


def test_a_second_interruption_waits_for_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = Event(), Event()

    def slow(*given: Any) -> Any:
        begun.set()
        time.sleep(0.3)
        ended.set()
        raise UserError("never told, because of the interruption")

    interrupted = raises_at(1, KeyboardInterrupt("second"), ahead_module.wait)
    monkeypatch.setattr(ahead_module, "wait", interrupted)
    ahead = ScoringAhead(slow, slow, slow, batch_frames=8, gap_s=0.0)
    with pytest.raises(KeyboardInterrupt, match="first"):
        interrupt_when(begun, ahead)
    assert ended.is_set()


def interrupt_when(begun: Event, ahead: ScoringAhead) -> None:
    store: Any = LongStore()
    with ahead:
        ahead.follow(store)
        begun.wait(10)
        raise KeyboardInterrupt("first")
