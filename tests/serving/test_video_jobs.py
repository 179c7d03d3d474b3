"""Uploaded videos, scored in the background."""

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import WriteVideo
from tlae.cli import main
from tlae.scoring.results import read_results

pytest.importorskip("fastapi", reason="needs the extra serve")

LONGEST_S = 120


def upload(client: Any, film: Path, model: str = "gate") -> dict[str, Any]:
    answer = client.post("/api/jobs", params={"model": model}, content=film.read_bytes())
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def finished(client: Any, job: str) -> dict[str, Any]:
    for _ in range(10 * LONGEST_S):
        facts = dict(client.get(f"/api/jobs/{job}").json())
        if facts["state"] not in ("waiting", "running"):
            return facts
        time.sleep(0.1)
    raise AssertionError(facts)


def test_a_video_is_scored_as_the_command_scores_it(
    client: Any, models: Path, tmp_path: Path, write_video: WriteVideo
) -> None:
    film = write_video(tmp_path / "film.mp4", noise=True)
    job = upload(client, film)["id"]
    early = client.get(f"/api/jobs/{job}/table")
    assert early.status_code in (200, 409)
    facts = finished(client, job)
    assert (facts["state"], facts["error"]) == ("done", "")
    assert facts["done"] == facts["total"] == 10
    places = [f"paths.scores={tmp_path}/scores", f"paths.cache={tmp_path}/cache", "device=cpu"]
    words = [f"model_file={models}/gate/model.safetensors", f"footage={film}", "name=s"]
    assert main(["score", *words, *places]) == 0
    offline = read_results(tmp_path / "scores/s")
    table = client.get(f"/api/jobs/{job}/table").json()
    assert table["rows_in_all"] == 10
    assert [row["raw"] for row in table["rows"]] == pytest.approx(offline.table["raw"].tolist())
    assert [row["alarm"] for row in table["rows"]] == offline.table["alarm"].tolist()
    assert not {"path", "clip"} & set(table["rows"][0])
    two = client.get(f"/api/jobs/{job}/table", params={"first": 8}).json()["rows"]
    assert two == table["rows"][8:]
    events = client.get(f"/api/jobs/{job}/events").json()
    assert [event["peak_raw"] for event in events] == [one.peak_raw for one in offline.events]
    error = np.load(io.BytesIO(client.get(f"/api/jobs/{job}/maps/4?form=npy").content))
    np.testing.assert_allclose(error, offline.map_of(4), rtol=1e-3, atol=1e-6)
    assert client.get(f"/api/jobs/{job}/maps/4").content.startswith(b"\x89PNG")
    assert client.get(f"/api/jobs/{job}/maps/99").status_code == 404
    left = {path.name for path in (tmp_path / "jobs" / job).iterdir()}
    assert "result" in left
    assert not {"upload", "video.mp4", "cache"} & left
    assert client.delete(f"/api/jobs/{job}").status_code == 200
    assert client.get(f"/api/jobs/{job}").status_code == 404
    assert list((tmp_path / "jobs").iterdir()) == []


def test_a_video_whose_first_frames_are_damaged_is_taken(
    client: Any, tmp_path: Path, write_video: WriteVideo
) -> None:
    film = write_video(tmp_path / "film.mp4", noise=True, gop=3)
    data = bytearray(film.read_bytes())
    first = data.index(b"mdat") + 800  # behind the settings of the encoder
    data[first : first + 600] = bytes(600)
    film.write_bytes(data)
    facts = finished(client, upload(client, film)["id"])
    assert (facts["state"], facts["done"]) == ("done", 10)
    rows = client.get(f"/api/jobs/{facts['id']}/table").json()["rows"]
    assert [rows[0]["state"], rows[9]["state"]] == ["damaged", "ok"]


def test_jobs_are_few_and_can_be_cancelled(
    make_client: Any, tmp_path: Path, write_video: WriteVideo
) -> None:
    client = make_client(most_jobs=2)
    film = write_video(tmp_path / "long.mp4", times_ms=range(0, 40_000, 40), noise=True)
    running, waiting = upload(client, film)["id"], upload(client, film)["id"]
    full = client.post("/api/jobs", params={"model": "gate"}, content=film.read_bytes())
    assert full.status_code == 429
    for job in (waiting, running):
        assert client.delete(f"/api/jobs/{job}").json()["state"] == "cancelled"
    short = write_video(tmp_path / "short.mkv")
    first = upload(client, short)["id"]
    assert finished(client, first)["state"] == "done"
    second, third = upload(client, short)["id"], upload(client, short)["id"]  # first makes room
    assert [finished(client, job)["state"] for job in (second, third)] == ["done"] * 2
    assert [job["id"] for job in client.get("/api/jobs").json()] == [second, third]


def test_a_judge_of_pictures_watches_no_camera(client: Any) -> None:
    answer = client.post("/api/jobs", params={"model": "broken"}, content=b"x")
    assert answer.status_code == 422
