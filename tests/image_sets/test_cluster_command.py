import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.image_sets.groups import groups, write_store
from tlae.cli import main

VALUES, LABELS = groups()


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert len(captured.err.strip().splitlines()) == 1, captured.err
    return captured.err


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_store(tmp_path / "photos.desc", VALUES)


def test_labels_lists_and_indices(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluster", f"descriptors={store}", "against=hour", "stability=2"]) == 0
    folder = Path("clusters/photos-made-hdbscan")
    table = pd.read_parquet(folder / "labels.parquet")
    np.testing.assert_array_equal(table["label"], LABELS)
    assert table["path"].tolist() == pd.read_csv(folder / "labels.csv")["path"].tolist()
    outliers = (folder / "clusters" / "outliers.txt").read_text().split()
    assert outliers == [f"{n}.png" for n in np.flatnonzero(LABELS == -1)]
    assert len((folder / "clusters" / "0.txt").read_text().split()) == 40
    indices = json.loads((folder / "indices.json").read_text())
    assert indices["quality"]["clusters"] == 3
    assert len(indices["stability"]) == 2
    shown = capsys.readouterr().out
    assert "3 clusters, 5 outliers of 95 pictures" in shown
    assert "agreement with the hour of day: AMI" in shown


def test_k_is_chosen_and_drawn(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = write_store(store.with_name("inside.desc"), VALUES[LABELS >= 0])
    words = ["cluster", f"descriptors={inside}", "method=kmeans", "k=2..6", "out=found"]
    assert main(words) == 0
    assert "k=3 has the best mean rank" in capsys.readouterr().out
    assert (Path("found") / "indices.svg").read_text().startswith("<svg")
    assert set(json.loads((Path("found") / "indices.json").read_text())["by_k"]) == set("23456")
    assert main([*words, "compare=found/labels.parquet"]) == 0  # and the same folder is replaced
    assert "AMI 1.000, ARI 1.000" in capsys.readouterr().out


def test_rows_that_are_not_finite_are_left_out(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = VALUES.copy()
    values[3, 2] = np.nan
    broken = write_store(store.with_name("broken.desc"), values)
    assert main(["cluster", f"descriptors={broken}", "out=found"]) == 0
    assert "left out: 1 of 95 pictures" in capsys.readouterr().out
    table = pd.read_parquet("found/labels.parquet")
    assert table["label"].isna().sum() == 1
    assert pd.isna(table["label"][3])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["method=kmens", "k=3"], "did you mean kmeans"),
        (["method=kmeans", "k=20..2"], "from the smaller to the larger"),
        (["k=2..6"], "k must be null for hdbscan"),
        (["method=kmeans", "k=2..200"], "less than the pictures clustered (95), got 200"),
        (["against=day"], "against must be hour"),
        (["compare=nothing.parquet"], "compare must be a labels.parquet"),
        (["scaler=normal"], "scaler must be one of"),
        (["descriptor=vgg16"], "has no descriptor 'vgg16'"),
        (["out=photos.desc"], "is not a result of this command"),
    ],
)
def test_bad_input_is_one_line(
    store: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert message in refused(["cluster", f"descriptors={store}", *words], capsys)
    assert not Path("clusters").exists()


def test_all_equal_and_one_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    equal = write_store(tmp_path / "equal.desc", np.ones((5, 3), np.float32))
    assert "of all 5 pictures are equal" in refused(["cluster", f"descriptors={equal}"], capsys)
    one = write_store(tmp_path / "one.desc", np.ones((1, 3), np.float32))
    assert "at least 3 pictures, got 1" in refused(["cluster", f"descriptors={one}"], capsys)
    nothing = write_store(tmp_path / "nan.desc", np.full((5, 3), np.nan, np.float32))
    assert "at least 3 pictures, got 0" in refused(["cluster", f"descriptors={nothing}"], capsys)
