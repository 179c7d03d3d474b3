"""A file and a folder, watched: the scores and events of `tlae score`."""

from pathlib import Path

import numpy as np
import pytest

from tests.small_footage import SIZE_HW, small_model, write_clips
from tests.watching.film import write_film
from tests.watching.running import Running, messages_in, require_whole, scores_in, settings
from tlae.cli import main
from tlae.model_file import save_model
from tlae.scoring.results import read_results

ODD = (*range(6, 10), *range(25, 33))
FRAMES = 50
ALARMS = ("scoring.threshold=0.46", "events.low=1", "events.merge_s=0.2")
UNLIKE = {"id", "stays", "rank", "clip", "accepted_at"}  # stays takes all maps, rank all events


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "gate.safetensors"
    save_model(small_model("convlstm"), path)
    return path


def scored(model_file: Path, footage: Path, home: Path) -> Path:
    words = [f"model_file={model_file}", f"footage={footage}", "name=s", "device=cpu"]
    words += [f"paths.scores={home}/scores", f"paths.cache={home}/cache", "batch_frames=1"]
    assert main(["score", *words, *ALARMS, "footage.interval_s=0.1"]) == 0
    return home / "scores/s"


def require_equal(out: Path, scores: Path) -> None:
    results, messages = read_results(scores), messages_in(out)
    raw = [float(row[1]) for row in scores_in(out)]
    np.testing.assert_allclose(raw, results.table["raw"], atol=1e-5)
    assert [bool(row[2]) for row in scores_in(out)] == list(results.table["alarm"])
    require_whole(messages)
    mine = [message["event"] for message in messages if message["type"] == "end"]
    assert len(mine) == len(results.event_records) >= 2
    for one, other in zip(mine, results.event_records, strict=True):
        for key in one.keys() - UNLIKE:
            assert one[key] == pytest.approx(other[key]), key


def test_a_video_file(model_file: Path, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", FRAMES, 10, odd=ODD, size_hw=SIZE_HW)
    out = tmp_path / "out"
    words = settings(model_file, film, out, "camera.fast=true", *ALARMS)
    assert main(["watch", *words]) == 0
    require_equal(out, scored(model_file, film, tmp_path))
    assert all((out / message["snapshot"]).is_file() for message in messages_in(out))
    count = len(messages_in(out))
    assert main(["watch", *words]) == 0  # nothing is scored twice
    assert len(messages_in(out)) == count
    assert len(scores_in(out)) == FRAMES


def test_a_folder(model_file: Path, tmp_path: Path) -> None:
    write_clips(tmp_path / "f", (FRAMES,), odd=tuple((0, n) for n in ODD))
    out, folder = tmp_path / "out", tmp_path / "f"
    timed = [*ALARMS, "camera.interval_s=0.1", "camera.stop_idle_s=2"]
    assert main(["watch", *settings(model_file, folder, out, *timed)]) == 0
    require_equal(out, scored(model_file, folder, tmp_path))


def test_pictures_without_a_date_are_named_with_a_cure(
    model_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_clips(tmp_path / "f", (3,))
    words = settings(model_file, tmp_path / "f", tmp_path / "out", "camera.stop_idle_s=0.2")
    assert main(["watch", *words]) == 0
    said = [line for line in caplog.messages if "camera.interval_s=SECONDS" in line]
    assert len(said) == 1
    assert "has no date in its name or EXIF" in said[0]


def test_a_folder_that_fills_scores_each_file_once_and_waits_for_whole_ones(
    model_file: Path, tmp_path: Path
) -> None:
    folder, out, away = tmp_path / "in", tmp_path / "out", tmp_path / "away"
    write_clips(tmp_path / "f", (12,))
    files = sorted((tmp_path / "f/c0").iterdir())
    folder.mkdir()
    for file in files[:4]:
        file.rename(folder / file.name)
    watch = Running(settings(model_file, folder, out, "camera.interval_s=0.1"))
    watch.wait_for(lambda: watch.status().get("frames", {}).get("scored") == 4)
    (folder / files[4].name).write_bytes(files[4].read_bytes()[:40])  # still being copied
    folder.rename(away)  # a share that drops out
    watch.wait_for(lambda: watch.status()["state"] == "offline")
    away.rename(folder)
    for file in files[5:8]:
        file.rename(folder / file.name)
    watch.wait_for(lambda: watch.status()["frames"]["scored"] == 7)
    assert watch.status()["state"] == "online"
    files[4].rename(folder / files[4].name)
    watch.wait_for(lambda: watch.status()["frames"]["scored"] == 8)
    watch.stop()
    again = Running(settings(model_file, folder, out, "camera.interval_s=0.1"))
    files[8].rename(folder / files[8].name)
    again.wait_for(lambda: again.status()["frames"]["scored"] == 1)
    again.stop()
    names = [row[0] for row in scores_in(out)]
    assert sorted(names) == [file.name for file in files[:9]]
