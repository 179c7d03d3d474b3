"""What goes wrong in scoring ahead is known while frames are still added."""

import time
from typing import Any

import pytest

from tlae.errors import UserError
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
