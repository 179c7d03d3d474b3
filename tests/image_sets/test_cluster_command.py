import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.image_sets.groups import groups, write_store
from tlae.cli import main
from tlae.image_sets import cluster_time
from tlae.image_sets.cluster_folder import HEADLINE_PX, write_sheets, write_tables
from tlae.image_sets.cluster_methods import METHODS
from tlae.image_sets.cluster_settings import ClusterSettings
from tlae.rendering.contact_sheet import GAP_PX

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
    assert main(["cluster", f"descriptors={store}", "against=day", "out=days"]) == 0
    shown = capsys.readouterr().out
    assert "agreement with the day: AMI" in shown
    assert "3 clusters, 5 outliers of 95 pictures" in shown
    assert "agreement with the hour of day: AMI" in shown


def test_a_line_break_in_a_name_leaves_lists_one_file_a_line(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": ["a\nb.png", "c.png"], "label": [0, 0], "score": [0.0, 0.0]})
    write_tables(tmp_path, table, {})
    assert (tmp_path / "clusters/0.txt").read_text() == "a\\nb.png\nc.png\n"


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
        (["against=week"], "against must be hour, day"),
        (
            ["compare=nothing.parquet"],
            "folders or tables of labels, nothing.parquet holds none",
        ),
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


def test_a_best_k_at_the_end_of_the_span_is_flagged(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = write_store(store.with_name("inside.desc"), VALUES[LABELS >= 0])
    words = ["cluster", f"descriptors={inside}", "method=kmeans", "out=found"]
    assert main([*words, "k=2..3"]) == 0
    assert "end of the span: a better one may lie beyond, try k=2..6" in capsys.readouterr().out
    assert main([*words, "k=2..5"]) == 0
    assert "end of the span" not in capsys.readouterr().out


def test_clusters_of_one_or_two_pictures_are_outliers(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["cluster", f"descriptors={store}", "method=kmeans", "k=8", "out=found", "pca=null"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "of fewer than 3 pictures" in shown
    table = pd.read_parquet("found/labels.parquet")
    odd = table["label"] == -1
    assert odd.sum() >= 3
    assert (LABELS[odd.to_numpy()] == -1).all()
    assert table.loc[odd, "score"].min() > table.loc[~odd, "score"].median()
    assert main([*words, "fewest=1"]) == 0
    assert (pd.read_parquet("found/labels.parquet")["label"] >= 0).all()


def test_many_runs_in_one_table_with_their_consensus(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["cluster", f"descriptors={store}"]
    for k in (2, 3, 4):
        run = ["method=kmeans", f"k={k}", "fewest=1", f"out=runs/{k}"]
        assert main([*words, *run]) == 0
    capsys.readouterr()
    assert main([*words, "compare=runs/*", "consensus=true", "out=all"]) == 0
    shown = capsys.readouterr().out
    assert "consensus of 4 runs:" in shown
    table = pd.read_csv("all/compared.csv", index_col="run")
    assert list(table.index) == ["this", "2", "3", "4"]
    assert table.loc["3", "clusters"] == 3
    assert table.loc["this", "AMI with 3"] == table.loc["3", "AMI with this"]
    assert {"silhouette", "davies_bouldin", "calinski_harabasz"} <= set(table)
    labels = pd.read_parquet("all/labels.parquet")
    assert {"consensus", "agreement", "torn_to"} <= set(labels)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_map_of_the_clusters_is_drawn(store: Path, dimensions: int) -> None:
    words = [f"descriptors={store}", "map=pca", f"map_dimensions={dimensions}", "out=found"]
    assert main(["cluster", *words]) == 0
    picture = cv2.imread("found/map.png")
    assert picture.shape == (960, 960, 3)
    assert picture.std() > 5


def test_sheets_name_cluster_size_and_score(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(8):
        cv2.imwrite(str(pictures / f"{number}.png"), np.full((30, 40, 3), 20 * number, np.uint8))
    assert main(["describe", f"images={pictures}", f"out={tmp_path}/p.desc"]) == 0
    table = pd.read_parquet(tmp_path / "p.desc/ids.parquet").assign(label=0, score=0.5)
    (tmp_path / "out").mkdir()
    assert write_sheets(tmp_path / "out", table, str(pictures), samples=4) == 1
    sheet = cv2.imread(str(tmp_path / "out/sheets/0.png"))
    headline = sheet[: HEADLINE_PX + GAP_PX]
    assert headline.max() > 200  # letters
    assert sheet.shape[1] == 4 * (200 + GAP_PX) + GAP_PX


def test_long_work_is_announced_with_its_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cluster_time, "TRIAL_ROWS", 20)
    monkeypatch.setattr(cluster_time, "LONG_S", 0.0)
    found = cluster_time.find_clusters_patiently(VALUES[:100], ClusterSettings(method="optics"))
    assert len(found.labels) == len(VALUES[:100])
    with caplog.at_level("INFO"):
        cluster_time.find_clusters_patiently(np.tile(VALUES, (2, 1)), ClusterSettings("dbscan"))
    assert "dbscan of 190 pictures will take about" in caplog.text


def test_the_announced_time_grows_as_the_method_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_time, "TRIAL_ROWS", 20)
    clock = SimpleNamespace(monotonic=iter((100.0, 102.0)).__next__)  # the trial takes two seconds
    monkeypatch.setattr(cluster_time, "time", clock)
    settings = ClusterSettings("dbscan")
    found = cluster_time.estimated_s(VALUES, settings, 80)
    assert found == pytest.approx(2 * 4 ** METHODS["dbscan"].growth)


def test_a_place_that_cannot_be_written_is_refused_before_the_pictures_are_clustered(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").touch()
    monkeypatch.setattr("tlae.image_sets.clustering.fit_preparation", lambda *a, **k: 1 / 0)
    words = ["cluster", f"descriptors={store}"]
    assert "file exists and is not a result" in refused([*words, "out=file"], capsys)
    assert "must be writable" in refused([*words, "out=file/o"], capsys)
