"""Watching an RTSP server that is not ours."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

import tlae
from tests.small_footage import SIZE_HW as SMALL_HW
from tests.small_footage import small_model
from tests.watching.film import write_film
from tests.watching.gstreamer_camera import gstreamer_camera
from tests.watching.running import Running, messages_in, require_whole, scores_in, settings
from tlae.model_file import save_model

FPS, FRAMES = 5, 85  # what comes while the stream is probed, 5 s, is a burst; its newest counts
ODD = (*range(38, 44), *range(55, 63))
SETTINGS = {"events.low": 1, "events.merge_s": 0.2, "batch_frames": 1, "device": "cpu"}
SAME = ("first_frame", "last_frame", "peak_frame")

pytestmark = pytest.mark.slow


def frames_seen(film: Path, times: list[datetime], last: int) -> np.ndarray:
    """Frames that were taken at these times, as `tlae score` reads them.

    Args:
        film: that the camera shows.
        times: of frames.
        last: number of the last one.
    """
    frames = list(tlae.open_footage(film).clips[0].frames(min_hw=SMALL_HW))
    early = [round((times[-1] - when).total_seconds() * FPS) for when in times]
    numbers = [0, *(last - one for one in early[1:])]  # the first one is scored as it comes
    return np.stack([frames[number].image for number in numbers])


@pytest.mark.parametrize("net", ["cae", "convlstm", "segmenter"])
def test_what_an_rtsp_camera_shows_scores_as_the_same_frames_of_the_film(
    net: str, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "film.mp4", FRAMES, FPS, odd=ODD)
    model_file = tmp_path / "m.safetensors"
    model = small_model(net)
    save_model(model, model_file)
    whole = tlae.score(model, film, settings=SETTINGS)
    level = float(whole.table["raw"].quantile(0.7))
    words = [f"scoring.threshold={level!r}", "events.low=1", "events.merge_s=0.2"]
    out = tmp_path / "out"
    with gstreamer_camera(film) as camera:
        watch = Running(settings(model_file, camera.url, out, *words))
        watch.wait_for(lambda: watch.status().get("state") == "offline")
        watch.stop()
    rows = scores_in(out)
    raw = [np.nan if row[1] is None else float(row[1]) for row in rows]
    times = [datetime.fromisoformat(row[3]) for row in rows]
    for last in (FRAMES - 1, FRAMES - 2):  # the last frame may be lost with the connection
        pictures = tlae.open_footage(frames_seen(film, times, last), interval_s=1 / FPS)
        offline = tlae.score(
            model, pictures, budget=tlae.Budget(threshold=level), settings=SETTINGS
        )
        if np.allclose(raw, offline.table["raw"], atol=1e-5, equal_nan=True):
            break
    np.testing.assert_allclose(raw, offline.table["raw"], atol=1e-5)
    assert len(rows) > FRAMES / 2
    assert [bool(row[2]) for row in rows] == offline.table["alarm"].tolist()
    messages = messages_in(out)
    require_whole(messages, ended=False)
    told = {one["event"]["id"]: one["event"] for one in messages}.values()
    mine = [[event[key] for key in SAME] for event in told if event["kind"] != "camera"]
    expected = [[event[key] for key in SAME] for event in offline.event_records]
    assert sorted(mine) == sorted(expected)
    assert len(expected) >= 2
