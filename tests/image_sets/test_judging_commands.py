"""`tlae novelty` and `tlae filter`, from pictures to verdicts."""

import shlex
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.image_sets.groups import write_store
from tests.image_sets.test_cluster_command import refused
from tlae.cli import main

FOREST, SEA, STAMP = (40, 120, 50), (60, 90, 180), (250, 250, 250)


def write_pictures(
    folder: Path, colour: tuple[int, int, int], count: int, *, stamped: bool = False
) -> Path:
    """Noisy pictures of one colour; a stamp is a bright mark in the lower right corner."""
    rng = np.random.default_rng(sum(colour) + stamped)
    folder.mkdir()
    for number in range(count):
        image = np.clip(rng.normal(colour, 14, (48, 48, 3)), 0, 255).astype(np.uint8)
        if stamped:
            image[40:45, 30:46] = STAMP
        cv2.imwrite(str(folder / f"{number}.png"), image[..., ::-1])
    return folder


@pytest.fixture
def forest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_pictures(tmp_path / "forest", FOREST, 20)


def test_novelty_from_pictures_to_verdicts(
    forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = write_pictures(tmp_path / "new", SEA, 2)
    cv2.imwrite(str(new / "wood.png"), cv2.imread(str(forest / "3.png")))
    (new / "broken.png").write_bytes(b"no picture")
    fit = ["novelty", "fit", f"images={forest}", "name=forest", f"unfiltered={new}"]
    assert main(fit) == 0
    model = Path("checkpoints/forest/model.safetensors")
    assert "unfiltered (3)" in model.with_name("threshold.html").read_text()
    assert main(["novelty", "score", f"model_file={model}", f"images={new}"]) == 0
    assert "left out: 1 picture," in capsys.readouterr().out
    table = pd.read_csv("scores/forest-new/verdicts.csv")
    judged = {
        Path(path).name: verdict for path, verdict in zip(table.path, table.verdict, strict=True)
    }
    assert judged == {"0.png": -1, "1.png": -1, "wood.png": 1}
    drawn = Path("scores/forest-new/pictures")
    page = Path("scores/forest-new/verdicts.html").read_text(encoding="utf-8")
    assert "<h1>2 of 3 pictures are unusual</h1>" in page
    assert page.count("<figure class") >= 3
    assert 'src="http' not in page
    assert sorted(file.name for file in drawn.iterdir()) == ["0.png", "1.png", "wood.png"]
    red, green = (cv2.imread(str(drawn / name))[0, -1] for name in ("0.png", "wood.png"))
    assert red[2] > red[1]  # the border, as BGR
    assert green[1] > green[2]


def test_novelty_on_stored_descriptors(forest: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    facts = {"descriptor": "made", "settings": {"bins": [3]}}
    normal = write_store(tmp_path / "normal.desc", rng.normal(0, 1, (60, 4)), facts)
    odd = write_store(tmp_path / "odd.desc", rng.normal(9, 1, (5, 4)), facts)
    fit = ["novelty", "fit", f"descriptors={normal}", "method=gaussian_mixture", "name=made"]
    assert main(fit) == 0
    model = "model_file=checkpoints/made/model.safetensors"
    assert main(["novelty", "score", model, f"descriptors={odd}", "out=judged"]) == 0
    assert (pd.read_parquet("judged/verdicts.parquet")["verdict"] == -1).all()


def test_a_filter_finds_a_mark_in_a_corner(forest: Path, tmp_path: Path) -> None:
    bad = write_pictures(tmp_path / "bad", FOREST, 12, stamped=True)
    words = [f"good={forest}", f"bad={bad}", "quadrants=true", "name=marks"]
    assert main(["filter", "fit", *words]) == 0
    new = write_pictures(tmp_path / "new", FOREST, 3, stamped=True)
    model = "model_file=checkpoints/marks/model.safetensors"
    assert main(["filter", "score", model, f"images={new}", "out=judged", "pictures=0"]) == 0
    table = pd.read_parquet("judged/verdicts.parquet")
    assert table["verdict"].tolist() == [-1, -1, -1]
    assert [Path(path).name for path in table["path"]] == ["0.png", "1.png", "2.png"]
    assert main(["filter", "score", model, f"images={forest}", "out=judged", "pictures=0"]) == 0
    assert pd.read_parquet("judged/verdicts.parquet")["verdict"].tolist() == [1] * 20


def test_a_filter_that_is_not_there_is_named_by_its_setting(
    forest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["novelty", "fit", f"images={forest}", "name=forest"]) == 0
    model = "model_file=checkpoints/forest/model.safetensors"
    said = refused(["novelty", "score", model, f"images={forest}", "filter=absent"], capsys)
    assert "filter must be an existing file, got absent" in said


def test_quadrants_of_the_frames_of_a_video_stay_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, stamped in (("good", False), ("bad", True), ("new", True)):
        pictures = write_pictures(tmp_path / name, FOREST, 12, stamped=stamped)
        first = cv2.imread(str(next(pictures.iterdir())))
        size = (first.shape[1], first.shape[0])
        video = cv2.VideoWriter(f"{name}.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, size)
        for file in sorted(pictures.iterdir()):
            video.write(cv2.imread(str(file)))
        video.release()
    words = ["good=good.avi", "bad=bad.avi", "quadrants=true", "name=marks"]
    assert main(["filter", "fit", *words]) == 0
    model = "model_file=checkpoints/marks/model.safetensors"
    assert main(["filter", "score", model, "images=new.avi", "out=judged"]) == 0
    table = pd.read_parquet("judged/verdicts.parquet")
    assert table["frame"].tolist() == list(range(12))
    assert table["verdict"].tolist() == [-1] * 12
    assert "new.avi #11" in capsys.readouterr().out
    assert "new.avi #11" in Path("judged/verdicts.html").read_text(encoding="utf-8")
    assert Path("judged/pictures/new-000011.png").is_file()


def test_bad_input_is_one_line(
    forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, one = tmp_path / "empty", write_pictures(tmp_path / "one", SEA, 1)
    empty.mkdir()
    fit = ["novelty", "fit"]
    assert "at least 4 pictures, got 1" in refused([*fit, f"images={one}"], capsys)
    assert "one of them" in refused(fit, capsys)
    assert "did you mean isolation_forest" in refused(
        [*fit, f"images={forest}", "method=isolation_forrest"], capsys
    )
    assert "false_alarm_rate must be in" in refused(
        [*fit, f"images={forest}", "false_alarm_rate=2"], capsys
    )
    assert "images must be an existing folder" in refused([*fit, "images=absent"], capsys)
    wrong = refused(["filter", "fit", f"good={empty}", f"bad={one}"], capsys)
    assert "good must hold pictures" in wrong
    assert str(empty) in wrong
    wrong = refused(["filter", "fit", f"good={one}", f"bad={one}"], capsys)
    assert "good and bad must be different pictures, 1 picture is in both" in wrong
    wrong = refused(["filter", "fit", f"good={one}", "bad=absent"], capsys)
    assert "bad must be an existing folder" in wrong
    assert "bad must hold at least 2 pictures, got 1" in refused(
        ["filter", "fit", f"good={forest}", f"bad={one}"], capsys
    )
    assert not Path("checkpoints").exists()


def test_a_filter_of_a_net_that_has_seen_nothing_says_so(
    forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write_pictures(tmp_path / "bad", SEA, 4)
    words = [f"good={forest}", f"bad={bad}", "descriptor=resnet18", "image_size=32", "name=f"]
    assert main(["filter", "fit", *words]) == 0
    assert capsys.readouterr().out.count("note: resnet18 has random weights (seed 0)") == 1


def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    forest: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad = write_pictures(tmp_path / "bad", SEA, 4)
    assert main(["novelty", "fit", f"images={forest}", "name=forest"]) == 0
    assert main(["filter", "fit", f"good={forest}", f"bad={bad}", "name=f"]) == 0
    (tmp_path / "file").touch()
    monkeypatch.setattr("tlae.image_sets.described_input.describe_now", lambda *a, **k: 1 / 0)
    below = "paths.checkpoints=file"
    for words in (
        ["novelty", "fit", f"images={forest}", below],
        ["filter", "fit", f"good={forest}", f"bad={bad}", below],
        ["novelty", "score", "model_file=checkpoints/forest/model.safetensors", "out=file/o"],
        ["filter", "score", "model_file=checkpoints/f/model.safetensors", "out=file/o"],
    ):
        score = [f"images={forest}"] if words[1] == "score" else []
        assert "must be writable" in refused([*words, *score], capsys)
    score = ["novelty", "score", "model_file=checkpoints/forest/model.safetensors"]
    assert "file exists and is not a result" in refused(
        [*score, f"images={forest}", "out=file"], capsys
    )


def test_a_model_of_another_descriptor_is_refused(
    forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["novelty", "fit", f"images={forest}", "name=forest"]) == 0
    capsys.readouterr()
    model = "model_file=checkpoints/forest/model.safetensors"
    other = write_store(tmp_path / "o.desc", np.eye(4), {"descriptor": "vgg16", "settings": {}})
    shown = refused(["novelty", "score", model, f"descriptors={other}"], capsys)
    assert "descriptor colour_histogram), got descriptor vgg16" in shown
    assert "is by `tlae novelty fit`" in refused(
        ["filter", "score", model, f"images={forest}"], capsys
    )
    assert not Path("scores").exists()


def test_a_command_of_two_words_is_named_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean novelty fit" in refused(["novelty", "fitt"], capsys)
    assert "did you mean novelty" in refused(["novelty"], capsys)
    assert main(["novelty", "fit", "--help"]) == 0
    assert "tlae novelty fit images=FOLDER" in capsys.readouterr().out


def imported_store(folder: Path, pictures: Path, values: np.ndarray) -> Path:
    """A store with our colour histogram and, beside it, descriptors that others made."""
    store = folder / f"{pictures.name}.desc"
    assert main(["describe", f"images={pictures}", f"out={store}"]) == 0
    np.save(folder / f"{pictures.name}.npy", values)
    file = folder / f"{pictures.name}.npy"
    assert main(["describe", f"from_file={file}", f"out={store}", "name=theirs"]) == 0
    return store


def test_descriptors_of_others_are_taken_by_name_and_the_next_step_works(
    forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    store = imported_store(tmp_path, forest, rng.normal(0, 1, (20, 5)))
    sea = write_pictures(tmp_path / "sea", SEA, 4)
    odd = imported_store(tmp_path, sea, rng.normal(9, 1, (4, 5)))
    fit = ["novelty", "fit", f"descriptors={store}", "descriptor=theirs", "name=theirs"]
    capsys.readouterr()
    assert main(fit) == 0
    (step,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next:")]
    assert main(shlex.split(step)[2:]) == 0
    assert "verdicts drawn on 20 pictures" in capsys.readouterr().out
    model = "model_file=checkpoints/theirs/model.safetensors"
    assert main(["novelty", "score", model, f"descriptors={odd}", "out=judged"]) == 0
    assert sorted(file.name for file in Path("judged/pictures").iterdir())[0] == "0.png"
    assert (pd.read_csv("judged/verdicts.csv")["verdict"] == -1).all()
    words = [f"good={store}", f"bad={odd}", "descriptor=theirs", "name=kinds"]
    assert main(["filter", "fit", *words]) == 0
    assert "did you mean theirs" in refused(
        ["novelty", "fit", f"descriptors={store}", "descriptor=their"], capsys
    )
    assert "no descriptor is called 'theirs'" in refused(
        ["novelty", "fit", f"images={forest}", "descriptor=theirs"], capsys
    )


def test_a_fit_to_stored_descriptors_of_ours_judges_pictures_too(
    forest: Path, tmp_path: Path
) -> None:
    assert main(["describe", f"images={forest}", "out=forest.desc"]) == 0
    assert main(["novelty", "fit", "descriptors=forest.desc", "name=stored"]) == 0
    assert main(["novelty", "fit", f"images={forest}", "name=direct"]) == 0
    for name in ("stored", "direct"):
        model = f"model_file=checkpoints/{name}/model.safetensors"
        assert main(["novelty", "score", model, f"images={forest}", f"out={name}"]) == 0
    stored, direct = (pd.read_csv(f"{name}/verdicts.csv") for name in ("stored", "direct"))
    pd.testing.assert_frame_equal(stored, direct)


def test_two_filters_copies_and_faults_in_one_step(
    forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stamped = write_pictures(tmp_path / "stamped", FOREST, 12, stamped=True)
    words = [f"good={forest}", f"bad={stamped}", "quadrants=true", "name=marks"]
    assert main(["filter", "fit", *words]) == 0
    normal = write_pictures(tmp_path / "normal", FOREST, 20)
    for file in list(stamped.iterdir())[:10]:  # marks are normal for the first model
        (normal / f"stamped{file.name}").write_bytes(file.read_bytes())
    assert main(["novelty", "fit", f"images={normal}", "name=forest"]) == 0
    new = write_pictures(tmp_path / "new", SEA, 1)
    for name, source in (
        ("a", forest / "1.png"),
        ("b", forest / "2.png"),
        ("c", stamped / "0.png"),
    ):
        (new / f"{name}.png").write_bytes(source.read_bytes())
    cv2.imwrite(
        str(new / "copy.png"), cv2.imread(str(new / "a.png")), [cv2.IMWRITE_PNG_COMPRESSION, 0]
    )
    flat = cv2.blur(cv2.imread(str(forest / "3.png")), (9, 9))
    cv2.imwrite(str(new / "soft.png"), flat)
    judge = [
        "novelty", "score", "model_file=checkpoints/forest/model.safetensors", f"images={new}",
        "filter=checkpoints/marks/model.safetensors", "duplicate_bits=4", "quality.check=true",
        "quality.least_side_px=40", "out=judged",
    ]  # fmt: skip
    capsys.readouterr()
    assert main(judge) == 0
    table = pd.read_csv("judged/verdicts.csv", keep_default_na=False).set_index(
        pd.read_csv("judged/verdicts.csv")["path"].map(lambda path: Path(path).name)
    )
    reasons = table["reason"].str.partition(" ")[0].to_dict()
    assert reasons["0.png"] == "unusual"
    assert (reasons["c.png"], reasons["copy.png"]) == ("bad", "copy")
    assert reasons["a.png"] == reasons["b.png"] == ""
    assert table.loc["a.png", "verdict"] == 1
    assert "then left out:" in capsys.readouterr().out


def test_a_second_run_judges_only_what_is_new(
    forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["novelty", "fit", f"images={forest}", "name=forest"]) == 0
    new = write_pictures(tmp_path / "new", SEA, 3)
    judge = ["novelty", "score", "model_file=checkpoints/forest/model.safetensors", f"images={new}"]
    assert main(judge) == 0
    first = pd.read_csv("scores/forest-new/verdicts.csv")
    cv2.imwrite(str(new / "00.png"), cv2.imread(str(forest / "3.png")))  # comes first
    cv2.imwrite(str(new / "1.png"), cv2.imread(str(forest / "4.png")))  # changed
    (new / "2.png").unlink()
    capsys.readouterr()
    assert main(judge) == 0
    assert "judged 2 new of 3 pictures" in capsys.readouterr().out
    table = pd.read_csv("scores/forest-new/verdicts.csv")
    assert [Path(path).name for path in table["path"]] == ["0.png", "00.png", "1.png"]
    assert table["frame"].tolist() == [0, 1, 2]
    assert table["verdict"].tolist() == [-1, 1, 1]
    assert table["score"][0] == first["score"][0]
    assert main([*judge]) == 0
    assert "judged 0 new of 3 pictures" in capsys.readouterr().out
    pd.testing.assert_frame_equal(table, pd.read_csv("scores/forest-new/verdicts.csv"))
    (new / "broken.png").write_bytes(b"no picture")
    assert main(judge) == 0
    assert len(pd.read_csv("scores/forest-new/verdicts.csv")) == 3
    assert main([*judge, "threshold=-1e9"]) == 0  # another threshold: everything again
    assert (pd.read_csv("scores/forest-new/verdicts.csv")["verdict"] == -1).all()
