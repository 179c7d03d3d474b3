"""Scores whose model, footage or own files are no longer what they were."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import zarr
from torch import nn

import tlae
from tests.small_footage import frame_image, small_model, write_clips
from tlae.cli import main
from tlae.errors import UserError
from tlae.model_file import load_model, save_model

ODD = 9  # frame in which something is odd

Harm = Callable[[Path], object]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Footage n with masks, m.safetensors, and scores s; all in one folder."""
    root = tmp_path_factory.mktemp("original")
    footage = write_clips(root / "n", (12,), odd=((0, ODD),))
    (footage / "c0_gt").mkdir()
    for number in range(12):
        mask = np.full((32, 32), 255 * (number == ODD), np.uint8)
        cv2.imwrite(str(footage / f"c0_gt/{number:03d}.bmp"), mask)
    model = small_model(watched=torch.ones(32, 32, dtype=torch.bool))
    for parameter in model.detector.net.net.parameters():
        nn.init.zeros_(parameter)  # it expects the mean frame
    save_model(model, root / "m.safetensors")
    words = [f"model_file={root}/m.safetensors", f"footage={footage}", "name=s"]
    rule = ["scoring.threshold=0.5", "scoring.smooth_frames=0", "events.low=1"]
    assert main(["score", *words, *rule, f"paths.scores={root}", f"paths.cache={root}/c"]) == 0
    return root


@pytest.fixture
def scored(original: Path, tmp_path: Path) -> Path:
    """A copy of the scores, to be harmed; their footage and model are those of the original."""
    return Path(shutil.copytree(original / "s", tmp_path / "s"))


def words_of(command: str, scored: Path, original: Path) -> list[str]:
    more = {
        "events": ["scoring.threshold=0.4"],
        "render": [f"frames=[{ODD}]"],
        "report": [],
        "evaluate": [f"labels={original}/n", "pictures=1"],
    }
    return [command, f"scores={scored}", *more[command]]


def shard(folder: Path) -> Path:
    return next(path for path in (folder / "c").rglob("*") if path.is_file())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def shorten(maps: Path) -> None:
    zarr.open_array(maps, mode="r+").resize((11, 32, 32))


TO_MAPS: dict[str, Harm] = {
    "missing": shutil.rmtree,
    "without a description": lambda maps: cut(maps / "zarr.json"),
    "cut off": lambda maps: cut(shard(maps)),
    "in part": lambda maps: shard(maps).unlink(),
    "of other frames": shorten,
}
TO_FILES: dict[str, tuple[str, Harm]] = {
    "no table": ("scores.parquet", Path.unlink),
    "table cut off": ("scores.parquet", cut),
    "events cut off": ("events.json", cut),
    "events of another kind": ("events.json", lambda path: path.write_text("{}")),
    "summary cut off": ("summary.json", cut),
    "summary of another kind": ("summary.json", lambda path: path.write_text("3")),
}


def require_one_line(words: list[str], file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command refuses, names the damaged file and the cure, and changes nothing."""
    scored = file.parent
    before = {path: path.read_bytes() for path in scored.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main(words) == 2
    error = capsys.readouterr().err
    assert f"{file} is damaged or incomplete (" in error
    assert f"move {scored} away and run `tlae score` again" in error
    assert error.count("\n") == 1
    assert {path: path.read_bytes() for path in scored.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("command", ["events", "render", "report", "evaluate"])
@pytest.mark.parametrize("harm", TO_MAPS)
def test_damaged_maps_are_one_line_with_the_cure(
    harm: str, command: str, scored: Path, original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TO_MAPS[harm](scored / "maps.zarr")
    require_one_line(words_of(command, scored, original), scored / "maps.zarr", capsys)


@pytest.mark.parametrize("harm", TO_FILES)
def test_other_damaged_files_are_one_line_with_the_cure(
    harm: str, scored: Path, original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, do_harm = TO_FILES[harm]
    do_harm(scored / name)
    require_one_line(words_of("report", scored, original), scored / name, capsys)


@pytest.mark.parametrize("command", ["render", "report"])
def test_damaged_expectations_are_one_line(
    command: str, scored: Path, original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut(shard(scored / "rebuilt.zarr"))
    words = words_of(command, scored, original)[:2]
    assert main([*words, *(["layout=side_by_side"] if command == "render" else [])]) == 2
    assert "rebuilt.zarr is damaged or incomplete" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("name", ["watched.npy", "job.json"])
def test_what_else_is_damaged_is_one_line_too(
    name: str, scored: Path, original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scored / name).write_bytes(b"{")
    assert main(words_of("events", scored, original)) == 2
    assert f"{name} is damaged or incomplete" in capsys.readouterr().err


def test_events_refuse_another_model_than_the_one_that_scored(
    scored: Path, original: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load_model(original / "m.safetensors")
    model.calibration.raw[:] += 1
    save_model(model, tmp_path / "other.safetensors")
    words = words_of("events", scored, original)
    assert main([*words, f"model_file={tmp_path}/other.safetensors"]) == 2
    error = capsys.readouterr().err
    assert f"{scored} was scored by another model than {tmp_path}/other.safetensors" in error
    assert error.count("\n") == 1
    shutil.copy(original / "m.safetensors", tmp_path / "moved.safetensors")
    assert main([*words, f"model_file={tmp_path}/moved.safetensors"]) == 0


def moved_footage(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original / "n", tmp_path / "n"))


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("render", "err"),
        ("report", "Pictures are missing"),
        ("evaluate", "the report has no pictures"),
    ],
)
def test_pictures_of_other_files_are_not_shown_for_those_that_were_scored(
    command: str,
    shown: str,
    scored: Path,
    original: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file before the odd one is gone: every picture after it would be the wrong one."""
    footage = moved_footage(original, tmp_path)
    (footage / "c0/004.png").unlink()
    status = main([*words_of(command, scored, original), f"footage={footage}"])
    out = capsys.readouterr()
    line = f"frame {ODD} of clip c0 was {original}/n/c0/009.png when it was scored and is "
    assert status == (2 if shown == "err" else 0)
    assert line in (out.err if shown == "err" else out.out)
    assert shown == "err" or shown in out.out


def test_smaller_copies_in_another_format_may_stand_for_what_was_scored(
    scored: Path, original: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "small/c0"
    folder.mkdir(parents=True)
    for number in range(12):
        small = cv2.resize(frame_image(number, odd=number == ODD), (16, 16))
        cv2.imwrite(str(folder / f"{number:03d}.jpg"), small[..., ::-1])
    assert main([*words_of("render", scored, original), f"footage={tmp_path}/small"]) == 0


def test_footage_that_changed_in_place_is_told(
    original: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    footage = moved_footage(original, tmp_path)
    model = f"model_file={original}/m.safetensors"
    places = [f"paths.scores={tmp_path}", f"paths.cache={tmp_path}/c"]
    assert main(["score", model, f"footage={footage}", "name=t", *places]) == 0
    words = words_of("render", tmp_path / "t", original)
    cv2.imwrite(str(footage / "c0/012.png"), frame_image(12))  # it may grow
    assert main(words) == 0
    assert "changed after they were scored" not in capsys.readouterr().out
    cv2.imwrite(str(footage / "c0/003.png"), frame_image(9, odd=True))
    assert main(words) == 0
    assert "changed after they were scored" in capsys.readouterr().out


@pytest.mark.parametrize("rows", [[*range(11, -1, -1)], [1, 0, *range(2, 12)]])
def test_rows_in_another_order_are_refused(scored: Path, rows: list[int]) -> None:
    table = pd.read_parquet(scored / "scores.parquet")
    table.iloc[rows].to_parquet(scored / "scores.parquet", index=False)
    with pytest.raises(UserError, match="must stand clip by clip"):
        tlae.open_scores(scored)


@pytest.mark.parametrize("row", [-1, 12, 1.5, "3"])
def test_a_map_of_no_row_is_refused(scored: Path, row: object) -> None:
    with pytest.raises(UserError, match=f"row must be a whole number in 0 to 11, got {row}"):
        tlae.open_scores(scored).map_of(row)  # type: ignore[arg-type]


def test_a_column_of_text_is_damage(scored: Path) -> None:
    table = pd.read_parquet(scored / "scores.parquet")
    table.assign(raw=table["raw"].astype(str)).to_parquet(scored / "scores.parquet", index=False)
    with pytest.raises(UserError, match="column raw holds no numbers"):
        tlae.open_scores(scored)


@pytest.mark.parametrize(
    ("name", "value"), [("frames", "12"), ("footage", "x"), ("threshold", "1")]
)
def test_facts_of_another_kind_are_damage(scored: Path, name: str, value: str) -> None:
    summary = json.loads((scored / "summary.json").read_text(encoding="utf-8"))
    text = json.dumps({**summary, name: value})
    (scored / "summary.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rf"summary\.json is damaged .*{name} is '{value}'"):
        tlae.open_scores(scored)


@pytest.mark.parametrize("place", [None, "/proc/x"])
def test_scores_are_not_saved_where_nothing_can_be_written(scored: Path, place: object) -> None:
    with pytest.raises(UserError):
        tlae.open_scores(scored).save(place)  # type: ignore[arg-type]
