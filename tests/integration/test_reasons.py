"""Reasons and the most similar normal things: in the table, after growth, live, in the report."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

import tlae
from tests.attributes.drawn_street import SIZE_HW, Walker, drawn, normal_street
from tlae.cli import main
from tlae.model_file import save_model

ODD = drawn([Walker(-60, 64, 7.0)], 40, seed=7)  # runs


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    settings = {"footage.size_hw": list(SIZE_HW), "model.memory_s": 0}
    model = tlae.train(normal_street(), "attributes", out=folder / "m", settings=settings)
    save_model(model, folder / "model.safetensors")
    return folder / "model.safetensors"


def score(model_file: Path, footage: Path, home: Path, name: str, count: int) -> pd.DataFrame:
    """Score the first so many frames; a folder of before goes on."""
    footage.mkdir(exist_ok=True)
    for number, image in enumerate(ODD[:count]):
        if not (path := footage / f"{number:03d}.png").exists():
            cv2.imwrite(str(path), image[..., ::-1])
    places = [f"paths.scores={home}/scores", f"paths.cache={home}/cache", f"name={name}"]
    asked = [f"model_file={model_file}", f"footage={footage}", "scoring.threshold=1"]
    assert main(["score", *asked, *places]) == 0
    return tlae.open_scores(home / "scores" / name).table


def test_reasons_stay_when_footage_grows(model_file: Path, tmp_path: Path) -> None:
    score(model_file, tmp_path / "clip", tmp_path, "grown", 25)
    grown = score(model_file, tmp_path / "clip", tmp_path, "grown", 40)
    once = score(model_file, tmp_path / "clip", tmp_path, "once", 40)
    assert (once["reason"] != "").sum() > 20
    pd.testing.assert_frame_equal(grown[["reason", "example"]], once[["reason", "example"]])


def test_live_names_the_same_example(model_file: Path, tmp_path: Path) -> None:
    table = score(model_file, tmp_path / "clip", tmp_path, "s", 40)
    live = tlae.Live(tlae.load(model_file), tlae.Budget(threshold=1.0), device="cpu")
    seen = [live.push(image, 0.1 * number) for number, image in enumerate(ODD)]
    assert [one.reason for one in seen] == table["reason"].fillna("").to_list()
    assert [one.example for one in seen] == table["example"].fillna(-1).to_list()
    assert live.examples.shape[0] > max(one.example for one in seen) >= 0


def test_the_report_shows_the_most_similar_normal_thing(model_file: Path, tmp_path: Path) -> None:
    score(model_file, tmp_path / "clip", tmp_path, "s", 40)
    scores = tlae.open_scores(tmp_path / "scores/s")
    (event, *_) = scores.events
    example = scores.example_of(event.peak_frame)
    assert example is not None
    assert np.ptp(example) > 60  # shows a thing
    tlae.report(scores, tmp_path / "page.html")
    assert "the most similar normal thing in training" in (tmp_path / "page.html").read_text(
        encoding="utf-8"
    )
