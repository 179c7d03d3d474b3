"""Scoring while the footage is decoded gives what scoring after it gives, killed or not."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from tests.camera.small_camera import ALL_ON, store_of
from tests.small_footage import SIZE_HW, frame_image, raises_at, small_model, write_clips
from tlae.camera import canonical_store
from tlae.camera.fit import fit_camera
from tlae.cli import main
from tlae.footage import decoding
from tlae.footage.preprocess import Preprocessing
from tlae.model_file import save_model
from tlae.scoring import ahead, job, job_folder
from tlae.scoring.ahead import ScoringAhead
from tlae.scoring.job import ScoringJob

CAMERA = "cae with a camera"
CENTRED = ("scoring.causal=false", "scoring.kernel_frames=3")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (job, job_folder, ahead):
        monkeypatch.setattr(module, "CHUNK_FRAMES", 8)
    monkeypatch.setattr(ahead, "LEAST_FRAMES", 8)
    for store in (decoding, canonical_store):
        monkeypatch.setattr(store, "CHUNK_FRAMES", 4)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    root = write_clips(tmp_path / "clips", (21, 8, 3, 32), odd=((0, 5),))
    (root / "c0/010.png").write_bytes(b"")
    (root / "c3/000.png").write_bytes(b"not a picture")
    return root


@pytest.fixture
def stopped_at(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Decode slowly; returns the rows at which jobs were to stop."""
    seen: list[int | None] = []
    run, convert = ScoringJob.run, Preprocessing.__call__

    def noted(self: ScoringJob, *given: Any) -> None:
        seen.append(given[3] if len(given) > 3 else None)
        run(self, *given)

    def slow(self: Preprocessing, image: Any) -> Any:
        time.sleep(0.01)
        return convert(self, image)

    monkeypatch.setattr(ScoringJob, "run", noted)
    monkeypatch.setattr(Preprocessing, "__call__", slow)
    return seen


def score(tmp_path: Path, model: Path, footage: Path, name: str, *words: str) -> int:
    places = (f"paths.scores={tmp_path}/scores", f"paths.cache={tmp_path}/cache-{name}")
    given = (f"model_file={model}", f"footage={footage}", f"name={name}", "scoring.threshold=0.3")
    return main(["score", *given, *places, *words])


def same_results(tmp_path: Path, one: str, other: str) -> None:
    first, second = tmp_path / "scores" / one, tmp_path / "scores" / other
    for table in ("scores.parquet", "scores.csv", "events.json", "ledger.csv", "job.json"):
        assert (first / table).read_bytes() == (second / table).read_bytes(), table
    arrays = sorted(path.name for path in first.glob("*.zarr"))
    assert arrays == sorted(path.name for path in second.glob("*.zarr"))
    for array in arrays:
        pictures = [zarr.open_array(folder / array, mode="r")[:] for folder in (first, second)]
        np.testing.assert_array_equal(*pictures)


def model_of(tmp_path: Path, name: str) -> Path:
    path = tmp_path / "model/model.safetensors"
    path.parent.mkdir()
    model = small_model("cae" if name == CAMERA else name)
    if name == CAMERA:
        normal = np.stack([frame_image(number)[..., :1] for number in range(40)])
        store = store_of(tmp_path / "normal", normal, size_hw=SIZE_HW)
        model = replace(model, camera=fit_camera(store, np.arange(40), ALL_ON))
    save_model(model, path)
    return path


def score_afterwards(tmp_path: Path, model: Path, footage: Path, name: str, *words: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScoringAhead, "follow", lambda self, store: None)
        return score(tmp_path, model, footage, name, *words)


@pytest.mark.parametrize("rule", [(), CENTRED])
@pytest.mark.parametrize("name", ["stae", "convlstm", "segmenter", CAMERA])
def test_results_are_those_of_scoring_afterwards(
    name: str,
    rule: tuple[str, ...],
    clips: Path,
    tmp_path: Path,
    stopped_at: list[int | None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = model_of(tmp_path, name)
    assert score(tmp_path, model, clips, "one", *rule) == 0
    assert stopped_at[0] is not None
    assert stopped_at[-1] is None
    told = capsys.readouterr()
    assert "waiting for another process" not in told.out + told.err
    counted = told.out.splitlines()[-1]
    assert score_afterwards(tmp_path, model, clips, "two", *rule) == 0
    assert capsys.readouterr().out.splitlines()[-1] == counted
    same_results(tmp_path, "one", "two")


@pytest.mark.parametrize("chunk", [4, 9])
def test_a_kill_while_decoding_loses_nothing(
    chunk: int,
    clips: Path,
    tmp_path: Path,
    stopped_at: list[int | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of(tmp_path, "stae")
    with monkeypatch.context() as patch:
        grow = decoding.GrowingIndex.grow
        patch.setattr(decoding.GrowingIndex, "grow", raises_at(chunk, KeyboardInterrupt(), grow))
        assert score(tmp_path, model, clips, "one") == 130
    assert score(tmp_path, model, clips, "one") == 0
    assert score_afterwards(tmp_path, model, clips, "two") == 0
    same_results(tmp_path, "one", "two")


def test_what_stops_the_job_stops_the_command(
    clips: Path,
    tmp_path: Path,
    stopped_at: list[int | None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = model_of(tmp_path, "stae")
    with monkeypatch.context() as patch:
        full = OSError(28, "No space left on device")
        patch.setattr(ScoringJob, "_write", raises_at(1, full, ScoringJob._write))
        assert score(tmp_path, model, clips, "one") == 2
    assert "No space left on device; free some space" in capsys.readouterr().err
    assert score(tmp_path, model, clips, "one") == 0


def test_scores_that_lie_there_are_not_begun_anew(
    clips: Path, tmp_path: Path, stopped_at: list[int | None]
) -> None:
    model = model_of(tmp_path, "stae")
    assert score(tmp_path, model, clips, "one") == 0
    write_clips(tmp_path / "more", (12,))
    (tmp_path / "more/c0").rename(clips / "c4")
    stopped_at.clear()
    assert score(tmp_path, model, clips, "one") == 0
    assert stopped_at == [None]
