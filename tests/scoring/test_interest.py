"""The order in which events are shown."""

from dataclasses import replace

from tlae.scoring.events import Event
from tlae.scoring.interest import ranked
from tlae.scoring.things import LASTING, LIGHT, PASSING, RECURRING


def test_surest_first_then_what_recurs_then_light_and_no_rank_for_the_camera() -> None:
    record = {"clip": "c", "first_frame": 0, "last_frame": 0, "peak_frame": 0, "peak_raw": 2.0}
    plain = replace(Event.of_json(record, 1), threshold=1.0)
    events = [
        replace(plain, what=LIGHT, peak_raw=9.0),
        replace(plain, what=RECURRING, peak_raw=8.0, frames=5),
        replace(plain, what=PASSING, frames=1, peak_raw=2.5),
        replace(plain, what=LASTING, frames=3),  # 2 times the threshold, three times seen
        replace(plain, kind="camera", peak_raw=None),
        replace(plain, what=PASSING, frames=1, peak_raw=2.4, threshold=0.5),
    ]
    assert [event.rank for event in ranked(events)] == [5, 4, 3, 2, 0, 1]
