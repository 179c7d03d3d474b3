"""Evaluate and benchmark on small footage, through the command line."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.browser import barriers_of, chromium, troubles_of
from tests.command_words import reworded
from tests.small_footage import write_clips
from tlae.cli import main
from tlae.rendering.strength import share_text, strength_text
from tlae.scoring.results import read_results

ODD = {0: (5, 6, 7), 1: (12, 13)}  # clip -> frames with something bright in them


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and Test split with masks, in the layout of UCSD."""
    root = tmp_path_factory.mktemp("dataset")
    write_clips(root / "Train", (20, 20, 20))
    odd = tuple((clip, frame) for clip, frames in ODD.items() for frame in frames)
    write_clips(root / "Test", (20, 20), odd=odd)
    for clip, frames in ODD.items():
        folder = root / "Test" / f"c{clip}_gt"
        folder.mkdir()
        for number in range(20):
            mask = np.zeros((32, 32), np.uint8)
            if number in frames:
                mask[2:10, 22:30] = 255
            cv2.imwrite(str(folder / f"{number:03d}.bmp"), mask)
    return root


def benchmark_words(dataset: Path, out: Path, *words: str) -> list[str]:
    return [
        "benchmark",
        f"footage={dataset}",
        f"out={out}",
        "name=small",
        f"paths.cache={out}/cache",
        "model=cae_small",
        "model.widths=[4,4]",
        "footage.size_hw=[32,32]",
        "training.windows_per_epoch=32",
        "training.batch_size=8",
        "training.compute=float32",
        "trainer.max_epochs=2",
        "trainer.accelerator=cpu",
        *words,
    ]


def test_a_folder_name_that_no_disk_takes_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("clip,frame,label,score\n" + "a,0,0,1\na,1,1,2\n", encoding="utf-8")
    assert main(["evaluate", f"scores={table}", f"out={tmp_path}/{'x' * 300}"]) == 2
    assert "must be writable, got: File name too long" in capsys.readouterr().err


@pytest.fixture(scope="module")
def benchmark(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("benchmarks")
    for seed in (0, 1):
        assert main(benchmark_words(dataset, out, f"seed={seed}")) == 0
    return out / "small"


@pytest.mark.slow
def test_benchmark_puts_seeds_and_baselines_into_one_table(benchmark: Path) -> None:
    table = pd.read_csv(benchmark / "benchmark.csv").set_index("model")
    assert list(table.index) == [
        "frame_difference",
        "frame_difference_mean",
        "running_median",
        "running_median_mean",
        "cae_small",
    ]
    assert table.loc["cae_small", "seeds"] == 2
    runs = [
        json.loads(
            (benchmark / f"scores/cae_small-seed{seed}/evaluation/measures.json").read_text()
        )
        for seed in (0, 1)
    ]
    values = [run["measures"][0]["value"] for run in runs]
    assert table.loc["cae_small", "auc_raw"] == pytest.approx(np.mean(values))
    assert table.loc["cae_small", "auc_raw_std"] == pytest.approx(np.std(values, ddof=1))
    assert table.loc["frame_difference", "weights"] == 0
    text = (benchmark / "benchmark.md").read_text()
    assert "40 test frames, 35 of them normal" in text
    assert "| the clock | - | " in text
    for name in ("roc.svg", "scores.svg", "maps.png"):
        assert (benchmark / name).stat().st_size > 1000


def test_benchmark_does_nothing_twice(
    benchmark: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = benchmark / "checkpoints/cae_small-seed0/model.safetensors"
    before = model.read_bytes(), (benchmark / "benchmark.csv").read_bytes()
    assert main(benchmark_words(dataset, benchmark.parent, "seed=0")) == 0
    assert "is trained already" in capsys.readouterr().out
    assert (model.read_bytes(), (benchmark / "benchmark.csv").read_bytes()) == before


def test_evaluate_prints_raw_first_and_writes_a_page(
    benchmark: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = benchmark / "scores/cae_small-seed0"
    assert main(["evaluate", f"scores={scores}", f"labels={dataset}/Test", "pictures=2"]) == 0
    out = capsys.readouterr().out
    assert "40 frames in 2 clips, 35 of them normal" in out
    assert out.index("micro, raw scores") < out.index("min-max")
    page = (scores / "evaluation/report.html").read_text()
    assert page.count("<img") == 6
    assert page.count("<svg") == 3  # ROC and two clips
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*', page) == []  # opens without network
    table = read_results(scores).columns
    highest = int(np.argmax(table["raw"]))
    strong = strength_text(table["raw"][highest], table["threshold"][highest])
    assert f"{strong}, {share_text(table['score'][highest])}" in page  # as the report says it
    measures = pd.read_csv(scores / "evaluation/measures.csv").set_index("key")
    assert measures["name"].is_unique
    assert measures.index[0] == "auc_raw"
    assert measures.loc["auc_raw", "value"] > 0.9  # the bright patch is found
    assert {"pixel_40_auc", "aupro_30", "rbdc", "tbdc", "event_recall_iou10"} <= set(measures.index)


def test_of_very_many_clips_those_judged_most_wrongly_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlae.evaluation.report.MOST_CHARTS", 2)
    odd = (0, 9, 0, 4)  # anomalous frames of each clip
    label = np.concatenate([np.arange(20) < count for count in odd])
    clips = ["calm", "long" * 40, "quiet", "<b>a & b"]
    table = pd.DataFrame({"clip": np.repeat(clips, 20), "frame": np.tile(np.arange(20), 4)})
    table["label"], table["score"] = label.astype(int), np.random.default_rng(0).random(80)
    table.to_csv(tmp_path / "t.csv", index=False)
    assert main(["evaluate", f"scores={tmp_path}/t.csv"]) == 0
    path = tmp_path / "t-evaluation/report.html"
    page = path.read_text(encoding="utf-8")
    assert "2 of 4 clips, those with the most frames anomalous" in page
    assert re.findall(r"<b>(.*?)</b>", page) == [clips[1], "&lt;b&gt;a &amp; b"]
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": 390, "height": 844})
        opened.goto(path.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth") <= 390


def test_evaluate_takes_any_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    label = np.tile(np.arange(30) > 20, 3)
    table = pd.DataFrame(
        {
            "clip": np.repeat(["a", "b", "c"], 30),
            "frame": np.tile(np.arange(30), 3),
            "label": label.astype(int),
            "error": rng.random(90) + label,
        }
    )
    table.to_csv(tmp_path / "errors.csv", index=False)
    assert main(["evaluate", f"scores={tmp_path}/errors.csv"]) == 0
    assert "90 frames in 3 clips, 63 of them normal" in capsys.readouterr().out
    assert (tmp_path / "errors-evaluation/report.html").is_file()


def test_the_page_says_its_verdict_first_and_fits_a_phone(tmp_path: Path) -> None:
    label = np.tile(np.arange(30) > 20, 3)
    table = pd.DataFrame(
        {
            "clip": np.repeat(["a", "b", "c"], 30),
            "frame": np.tile(np.arange(30), 3),
            "label": label.astype(int),
            "error": np.where(label, 2.0, 1.0),
            "alarm": (label & (np.arange(90) > 30)) | (np.arange(90) == 5),
        }
    )
    table.to_csv(tmp_path / "errors.csv", index=False)
    assert main(["evaluate", f"scores={tmp_path}/errors.csv"]) == 0
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        troubles = troubles_of(page, "file:", "data:")
        page.goto((tmp_path / "errors-evaluation/report.html").as_uri())
        said = "Finds 2 of 3 events; 1.6 % of normal frames alarm."
        assert page.inner_text("main > :first-child") == said
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator("details[open]").count() == 0
        page.focus("summary >> nth=0")
        page.keyboard.press("Enter")
        assert page.locator("details[open] table").is_visible()
        assert barriers_of(page) == []
        ground = page.evaluate("getComputedStyle(document.querySelector('svg')).backgroundColor")
        assert ground == "rgba(0, 0, 0, 0)"  # dark, with the page
        assert troubles == []


def test_a_run_with_other_settings_is_refused_and_then_overwritten(
    dataset: Path, benchmark: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(benchmark, tmp_path / "small")
    longer = reworded(benchmark_words(dataset, tmp_path, "seed=0"), "trainer.max_epochs=3")
    assert main(longer) == 2
    assert "overwrite=true" in capsys.readouterr().err
    assert main([*longer, "overwrite=true"]) == 0
    assert "seeds | raw AUC" in capsys.readouterr().out


def test_scores_of_normal_footage_alone_give_a_false_alarm_rate_and_no_auc(
    benchmark: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = benchmark / "scores/cae_small-seed0"
    assert main(["evaluate", f"scores={scores}", "labels=normal", f"out={tmp_path}/n"]) == 0
    assert "all 40 frames are normal" in capsys.readouterr().out
    measures = pd.read_csv(tmp_path / "n/measures.csv").set_index("key")
    assert np.isnan(measures.loc["auc_raw", "value"])
    assert 0 <= measures.loc["normal_alarm_rate", "value"] <= 1
    assert "<svg" in (tmp_path / "n/report.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["scores=nowhere", "labels=normal"], "a folder written by `tlae score`, or a table"),
        (["scores={scores}"], "labels=... must be given"),
        (["scores={scores}", "labels=nowhere"], "nowhere"),
        (["scores={scores}", "labels=normal", "column=rw"], "did you mean raw?"),
        (["scores={scores}", "labels=normal", "pictres=2"], "did you mean pictures?"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    benchmark: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    scores = benchmark / "scores/cae_small-seed0"
    assert main(["evaluate", *(word.format(scores=scores) for word in words)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_benchmark_names_the_split_that_is_missing(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = benchmark_words(dataset, tmp_path, "test_split=Tset")
    assert main(words) == 2
    assert "has no Tset; give train_split=... and test_split=..." in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "scores={table}", "out=/"],
        ["describe", "images={here}", "out=/"],
    ],
)
def test_the_root_of_a_file_system_holds_no_results(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "e.csv"
    table.write_text("clip,frame,score,label\na,0,1,0\na,1,2,1\n", encoding="utf-8")
    assert main([word.format(table=table, here=tmp_path) for word in words]) == 2
    assert "is the root of a file system" in capsys.readouterr().err
