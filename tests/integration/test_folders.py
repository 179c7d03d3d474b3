"""Run and result folders: one job at a time, kills, files that are not ours."""

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.kill import Killed, killed_before
from tests.small_footage import raises_at, small_model, write_clips
from tlae.cli import main
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.model_file import save_model
from tlae.scoring import job_folder
from tlae.training.compute import Compute
from tlae.training.run_folder import RunFolder
from tlae.whole_file import take_place
from tlae.workflows import train


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A model and footage of two clips."""
    write_clips(tmp_path / "footage", (6, 6))
    write_clips(tmp_path / "normal", (20, 20))
    (tmp_path / "models").mkdir()
    for name in ("cae", "stae"):
        save_model(small_model(name), tmp_path / f"models/{name}.safetensors")
    return tmp_path


@pytest.fixture
def once(home: Path) -> Path:
    """The folder of a finished scoring job."""
    assert score(home) == 0
    return home / "scores/s"


def score(home: Path, *words: str, model: str = "cae", footage: str = "footage") -> int:
    return main(
        [
            "score",
            f"model_file={home}/models/{model}.safetensors",
            f"footage={home / footage}",
            f"paths.scores={home}/scores",
            f"paths.cache={home}/cache",
            "scoring.threshold=0.3",
            *([] if any(word.startswith("name=") for word in words) else ["name=s"]),
            *words,
        ]
    )


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", ".holder"))
    }


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1, error
    return error


@pytest.mark.parametrize(
    "command",
    [
        ["score", "name=s", "paths.scores={home}/scores", "paths.cache={home}/cache"],
        ["events", "scores={home}/scores/s"],
        ["render", "scores={home}/scores/s"],
        ["report", "scores={home}/scores/s"],
    ],
)
def test_a_second_job_under_one_name_is_told_who_holds_the_folder(
    command: list[str], home: Path, once: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_in(once)
    words = [word.format(home=home) for word in command]
    if command[0] == "score":
        words += [f"model_file={home}/models/stae.safetensors", f"footage={home}/footage"]
    capsys.readouterr()
    with held_folder(once, "wait"):
        assert main(words) == 2
    assert "is being written by another process (process " in one_line(capsys)
    assert files_in(once) == before


def test_a_second_training_under_one_name_is_told_who_holds_the_folder(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with held_folder(home / "checkpoints/r", "wait"):
        assert train_run(home) == 2
    assert "is being written by another process" in one_line(capsys)


def test_scores_that_lack_rows_are_made_again(
    home: Path, once: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = pd.read_parquet(once / "scores.parquet")
    torn = whole.copy()
    torn.loc[8:, ["instant", "raw"]] = float("nan")
    torn.to_parquet(once / "scores.parquet", index=False)
    assert score(home) == 0
    assert "12 were scored now" in capsys.readouterr().out.splitlines()[-1]
    pd.testing.assert_frame_equal(pd.read_parquet(once / "scores.parquet"), whole)


def lose_summary(folder: Path) -> None:
    (folder / "summary.json").unlink()


def tear_summary(folder: Path) -> None:
    (folder / "summary.json").write_text("{")


def lose_maps(folder: Path) -> None:
    shutil.rmtree(folder / "maps.zarr")


@pytest.mark.parametrize("damage", [lose_summary, tear_summary, lose_maps])
def test_a_damaged_folder_is_scored_again(
    damage: Callable[[Path], None], home: Path, once: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(once)
    assert score(home) == 0
    assert "12 were scored now" in capsys.readouterr().out.splitlines()[-1]


def test_overwriting_and_growing_keep_files_that_are_not_ours(home: Path, once: Path) -> None:
    mine = {"labels.csv": "mine", "evaluation/measures.csv": "1", "overlay.mp4": "video"}
    for name, text in mine.items():
        (once / name).parent.mkdir(exist_ok=True)
        (once / name).write_text(text)
    assert score(home, "overwrite=true", model="stae") == 0
    assert {name: (once / name).read_text() for name in mine} == mine
    shutil.copytree(home / "footage/c1", home / "footage/c2")
    assert score(home, model="stae") == 0
    assert len(pd.read_parquet(once / "scores.parquet")) == 18
    assert {name: (once / name).read_text() for name in mine} == mine


@pytest.mark.parametrize("words", [[], ["overwrite=true"]])
@pytest.mark.parametrize("name", ["footage", ".", "..", "../footage", "a/b", "x" * 300])
def test_a_folder_that_tlae_never_wrote_stays(
    words: list[str], name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(home / "footage", home / "scores/footage")
    before = files_in(home / "scores")
    assert score(home, f"name={name}", *words, footage="scores/footage") == 2
    assert "overwrite" not in one_line(capsys)
    assert files_in(home / "scores") == before


def test_a_part_folder_that_tlae_never_wrote_stays(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "scores/s.part").mkdir(parents=True)
    (home / "scores/s.part/mine.txt").write_text("mine")
    assert score(home) == 2
    assert "holds mine.txt, which tlae did not write" in one_line(capsys)
    assert (home / "scores/s.part/mine.txt").read_text() == "mine"


@pytest.mark.parametrize("step", [0, 1, 2, 3, 5, 8, 13])
def test_scoring_killed_at_any_step_of_taking_its_place_goes_on(
    step: int, home: Path, once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (once / "labels.csv").write_text("mine")

    def killed(*args: Any) -> None:
        with killed_before(step):
            take_place(*args)

    with monkeypatch.context() as patch:
        patch.setattr(job_folder, "take_place", killed)
        with pytest.raises(Killed):
            score(home, "overwrite=true", model="stae")
    assert score(home, "overwrite=true", model="stae") == 0
    assert (once / "labels.csv").read_text() == "mine"
    names = {path.name for path in (home / "scores").iterdir()}
    assert names == {"s"}


def test_calibrating_replaces_no_photo(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = home / "photo.jpg"
    photo.write_bytes(b"mine")
    words = [f"model_file={home}/models/cae.safetensors", f"footage={home}/footage"]
    assert main(["calibrate", *words, f"out={photo}", "overwrite=true"]) == 2
    assert "is not a model file of tlae, so it is not replaced" in one_line(capsys)
    assert photo.read_bytes() == b"mine"


def test_a_mask_replaces_no_other_yaml(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = home / "compose.yaml"
    other.write_text("services: {}\n")
    assert main(["mask", f"footage={home}/footage", f"out={other}", "overwrite=true"]) == 2
    assert "is not a zones file, so it is not replaced" in one_line(capsys)
    assert other.read_text() == "services: {}\n"


def train_run(home: Path, *words: str) -> int:
    return main(
        [
            "train",
            f"footage={home}/normal",
            "name=r",
            "model=cae_small",
            "model.widths=[4,4]",
            "footage.size_hw=[32,32]",
            "training.windows_per_epoch=8",
            "training.batch_size=4",
            "training.compute=float32",
            "trainer.max_epochs=1",
            "trainer.accelerator=cpu",
            f"paths.checkpoints={home}/checkpoints",
            f"paths.cache={home}/cache",
            *words,
        ]
    )


def test_training_anew_keeps_files_that_are_not_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder(tmp_path / "r")
    run.begin({"store": "x", "seed": 1}, overwrite=False)
    run.model.write_text("model")
    (run.path / "notes.txt").write_text("mine")
    run.begin({"store": "x", "seed": 2}, overwrite=True)
    assert files_in(run.path).keys() == {"settings.json", "notes.txt"}


@pytest.mark.parametrize("step", range(12))
def test_beginning_anew_killed_before_any_step_begins_at_the_next_start(
    step: int, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "r")
    run.begin({"store": "x", "seed": 1}, overwrite=False)
    run.checkpoints.mkdir()
    for file in (run.last, run.best, run.compute, run.model, run.path / "notes.txt"):
        file.write_text("x")
    after = {"store": "x", "seed": 2}
    with contextlib.suppress(Killed), killed_before(step):
        run.begin(after, overwrite=True)
    run.begin(after, overwrite=True)
    assert files_in(run.path).keys() == {"settings.json", "notes.txt"}
    assert json.loads(run.settings.read_text()) == after


def test_other_footage_of_a_run_is_told_in_words(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "r")
    run.begin({"store": "camera-0123", "seed": 1}, overwrite=False)
    run.model.write_text("model")
    with pytest.raises(UserError, match="a run on other footage: files came, went or changed"):
        run.begin({"store": "camera-4567", "seed": 1}, overwrite=False)
    with pytest.raises(UserError, match="a run with other settings \\(seed: 1 -> 2"):
        run.begin({"store": "camera-4567", "seed": 2}, overwrite=False)


@pytest.mark.parametrize("text", ["", '{"sto'])
def test_torn_notes_of_a_run_are_written_again(text: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "r")
    run.path.mkdir()
    run.settings.write_text(text)
    run.compute.write_text(text)
    run.begin({"store": "x"}, overwrite=False)
    assert json.loads(run.settings.read_text()) == {"store": "x"}
    run.compute.write_text(text)
    assert run.remember(lambda: Compute("bfloat16")) == run.recall() == Compute("bfloat16")


def test_a_run_folder_that_tlae_never_wrote_stays(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(home / "footage", home / "checkpoints/r")
    (home / "checkpoints/r/settings.json").write_text('{"editor": 1}')
    before = files_in(home / "checkpoints")
    assert train_run(home, "overwrite=true") == 2
    assert "holds no run of ours" in one_line(capsys)
    assert files_in(home / "checkpoints") == before


def test_a_further_process_of_a_run_does_not_take_the_old_model_for_the_new_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(home / "checkpoints/r")
    run.path.mkdir(parents=True)
    run.model.write_text("old")
    monkeypatch.setattr(train, "is_first_process", lambda: False)
    waits = raises_at(1, Killed(), run.recall)
    monkeypatch.setattr(RunFolder, "recall", lambda _: waits())
    assert train_run(home) == 0  # done already, as its first process says
    with pytest.raises(Killed):
        train_run(home, "overwrite=true")


@pytest.mark.parametrize("command", ["report", "evaluate"])
def test_a_page_of_the_user_is_not_replaced(
    command: str, home: Path, once: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = home / "pages/report.html"
    page.parent.mkdir()
    page.write_text("mine")
    words = {
        "report": [f"out={page}"],
        "evaluate": ["labels=" + str(home / "labels.csv"), f"out={page.parent}"],
    }
    (home / "labels.csv").write_text("clip,first,last\nc0,2,3\nc1,2,3\n")
    capsys.readouterr()
    assert main([command, f"scores={once}", *words[command]]) == 2
    assert "give another out=..." in one_line(capsys)
    assert page.read_text() == "mine"
    page.unlink()
    assert main([command, f"scores={once}", *words[command]]) == 0
    assert main([command, f"scores={once}", *words[command]]) == 0
