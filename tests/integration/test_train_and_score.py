"""The main path on small footage, through the command line."""

import errno
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import zarr

from tests.command_words import reworded
from tests.small_footage import frame_image, raises_at, write_clips
from tlae.cli import main
from tlae.model_file import load_model
from tlae.scoring.results import read_results

SMALL = {
    "cae_small": ["model.widths=[4,4]"],
    "stae_small": ["model.widths=[4,4,4]", "model.kernels_px=[3,2,2]", "footage.window_frames=4"],
    "convlstm_small": [
        "model.widths=[4,4]",
        "model.kernels_px=[4,2]",
        "model.strides_px=[2,2]",
        "model.memory=[4,4]",
        "footage.window_frames=4",
    ],
}


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    return [
        f"paths.checkpoints={tmp_path}/checkpoints",
        f"paths.scores={tmp_path}/scores",
        f"paths.cache={tmp_path}/cache",
    ]


def train_words(footage: Path, places: list[str], model: str = "cae_small") -> list[str]:
    return [
        "train",
        f"footage={footage}",
        "name=run",
        f"model={model}",
        *SMALL[model],
        "footage.size_hw=[32,32]",
        "training.windows_per_epoch=32",
        "training.batch_size=8",
        "training.compute=float32",
        "trainer.max_epochs=2",
        "trainer.accelerator=cpu",
        *places,
    ]


def score_words(tmp_path: Path, footage: Path, places: list[str]) -> list[str]:
    model_file = tmp_path / "checkpoints/run/model.safetensors"
    return ["score", f"model_file={model_file}", f"footage={footage}", "name=s", *places]


@pytest.mark.parametrize("model", SMALL)
def test_the_odd_frame_ranks_first(model: str, tmp_path: Path, places: list[str]) -> None:
    normal = write_clips(tmp_path / "normal", (20, 20, 20))
    new = write_clips(tmp_path / "new", (20, 20), odd=((1, 9),))
    assert main(train_words(normal, places, model)) == 0
    loose = ["scoring.smooth_frames=0", "scoring.false_alarm_rate=0.3"]  # few frames are held out
    assert main([*score_words(tmp_path, new, places), *loose]) == 0
    results = read_results(tmp_path / "scores/s")
    table = results.table
    assert len(table) == 40
    worst = table.iloc[int(table["raw"].argmax())]
    assert (worst["clip"], worst["frame"]) == ("c1", 9)
    assert worst["alarm"]
    assert worst["score"] == 1.0
    assert 22 <= worst["peak_x"] <= 30
    assert 2 <= worst["peak_y"] <= 10
    assert results.map_of(29).max() == pytest.approx(worst["instant"], rel=1e-2)
    assert any(e.clip == "c1" and e.peak_frame == 9 for e in results.events)
    assert pd.read_csv(tmp_path / "scores/s/scores.csv").shape == table.shape


def test_settings_without_effect_are_a_line_each(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    footage = write_clips(tmp_path / "n", (20, 20))
    words = ["train", f"footage={footage}", "name=run", "model=copy_last", *places]
    idle = ["scoring.kernel_frames=3", "scoring.causal=true"]
    words += ["footage.size_hw=[32,32]", "trainer.accelerator=cpu"]
    assert main([*words, "training.planted.fast=0.1", *idle]) == 0
    shown = capsys.readouterr().out
    assert shown.count("training.planted has no effect") == 1
    assert shown.count("scoring.kernel_frames=3 has no effect") == 1
    words = score_words(tmp_path, footage, places)
    assert main([*words, "scoring.kernel_frames=1"]) == 0
    assert "has no effect" not in capsys.readouterr().out
    assert main([*words, "scoring.kernel_frames=5", "overwrite=true"]) == 0
    assert capsys.readouterr().out.count("scoring.kernel_frames=5 has no effect") == 1


def test_model_file_holds_all_and_is_small(tmp_path: Path, places: list[str]) -> None:
    assert main(train_words(write_clips(tmp_path / "n", (20, 20)), places)) == 0
    path = tmp_path / "checkpoints/run/model.safetensors"
    assert path.stat().st_size < 1e6
    model = load_model(path)
    assert model.training["copy_last_loss"] > 0
    assert model.training["mean_frame_loss"] > 0
    assert len(model.calibration.raw) >= 4
    logs = list((tmp_path / "checkpoints/run/tensorboard").glob("events*"))
    assert len(logs) == 1


def test_tensorboard_shows_losses_baselines_pace_and_pictures(
    tmp_path: Path, places: list[str]
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert main(train_words(write_clips(tmp_path / "n", (20, 20)), places)) == 0
    log = EventAccumulator(str(tmp_path / "checkpoints/run/tensorboard"))
    log.Reload()
    scalars = set(log.Tags()["scalars"])
    assert {
        "loss/train",
        "loss/held_out",
        "loss/copy_last",
        "loss/mean_frame",
        "rate/learning_rate",
        "rate/windows_per_s",
    } <= scalars
    assert len(log.Images("pictures/frame | rebuilt | error | smoothed error")) == 2
    rates = [e.value for e in log.Scalars("rate/windows_per_s")]
    assert min(rates) > 0


def final_weights(path: Path) -> dict[str, torch.Tensor]:
    return dict(load_model(path).detector.net.state_dict())


@pytest.mark.parametrize("model", ["stae_small", "convlstm_small"])
def test_a_killed_run_ends_like_an_unbroken_one(
    model: str, tmp_path: Path, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tlae.training.module import Training

    normal = write_clips(tmp_path / "normal", (20, 20, 20))
    words = reworded(train_words(normal, places, model), "trainer.max_epochs=4")
    assert main(reworded(words, "name=run-whole")) == 0
    steps = 0
    original = Training.training_step

    def dies(self: Training, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if steps == 11:  # in the third epoch of four batches
            raise RuntimeError("killed")
        return original(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "training_step", dies)
        with pytest.raises(RuntimeError, match="killed"):
            main(words)
    assert main(words) == 0
    whole = final_weights(tmp_path / "checkpoints/run-whole/model.safetensors")
    resumed = final_weights(tmp_path / "checkpoints/run/model.safetensors")
    for name, tensor in whole.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=0, atol=0)


def test_a_full_disk_at_the_last_step_costs_no_training(
    tmp_path: Path,
    places: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = train_words(write_clips(tmp_path / "n", (20, 20)), places)
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", raises_at(1, full, Path.write_bytes))
        assert main(words) == 2
    captured = capsys.readouterr()
    assert "No space left on device" in captured.err
    assert "epoch 2/2" in captured.out
    assert main(words) == 0
    assert "epoch" not in capsys.readouterr().out.replace("2 epochs", "")
    assert (tmp_path / "checkpoints/run/model.safetensors").is_file()


def test_same_command_again_does_nothing_other_settings_are_refused(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = train_words(write_clips(tmp_path / "n", (20, 20)), places)
    assert main(words) == 0
    before = (tmp_path / "checkpoints/run/model.safetensors").stat().st_mtime_ns
    assert main(words) == 0
    assert "trained already" in capsys.readouterr().out
    assert main([*words, "model.code_channels=3"]) == 2
    assert "model.code_channels: 8 -> 3" in capsys.readouterr().err
    assert (tmp_path / "checkpoints/run/model.safetensors").stat().st_mtime_ns == before
    assert main([*words, "model.code_channels=3", "overwrite=true"]) == 0


def test_a_run_that_never_learnt_anything_does_not_block_its_name(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = train_words(write_clips(tmp_path / "n", (20, 20)), places)
    assert main([*words, "trainer.strategy=nonsense"]) == 2
    assert "trainer:" in capsys.readouterr().err
    assert main(words) == 0


def test_another_budget_runs_no_net(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    footage = write_clips(tmp_path / "n", (20, 20), odd=((1, 9),))
    assert main(train_words(footage, places)) == 0
    words = score_words(tmp_path, footage, places)
    assert main(words) == 0
    maps = zarr.open_array(tmp_path / "scores/s/maps.zarr", mode="r")[:]
    strict = pd.read_parquet(tmp_path / "scores/s/scores.parquet")
    capsys.readouterr()
    assert main([*words, "scoring.false_alarm_rate=0.5"]) == 0
    assert "no net run" in capsys.readouterr().out
    loose = pd.read_parquet(tmp_path / "scores/s/scores.parquet")
    assert loose["alarm"].sum() > strict["alarm"].sum()
    np.testing.assert_array_equal(loose["raw"], strict["raw"])
    np.testing.assert_array_equal(
        zarr.open_array(tmp_path / "scores/s/maps.zarr", mode="r")[:], maps
    )


def test_scores_of_another_job_are_not_overwritten(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    footage = write_clips(tmp_path / "n", (20, 20))
    assert main(train_words(footage, places)) == 0
    assert main(score_words(tmp_path, footage, places)) == 0
    other = write_clips(tmp_path / "m", (10,))
    assert main(score_words(tmp_path, other, places)) == 2
    assert "another job (other store)" in capsys.readouterr().err
    assert main([*score_words(tmp_path, other, places), "overwrite=true"]) == 0
    assert len(read_results(tmp_path / "scores/s").table) == 10


def test_published_rule_alarms_at_its_own_threshold(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    normal = write_clips(tmp_path / "n", (20, 20))
    odd = write_clips(tmp_path / "o", (20,), odd=((0, 9),))
    assert main(train_words(normal, places)) == 0
    assert main([*score_words(tmp_path, odd, places), "scoring=published"]) == 0
    assert "score column stays empty" in capsys.readouterr().out
    results = read_results(tmp_path / "scores/s")
    assert results.summary["threshold"] == 4 * 255
    assert results.table["score"].isna().all()
    np.testing.assert_array_equal(results.table["alarm"], results.table["raw"] > 4 * 255)
    assert results.table["raw"].argmax() == 9
    assert results.table["raw"].max() > 15 * 100  # nearly all of a 4x4 box, on 0..255


def test_mask_is_honoured_in_training_and_scoring(tmp_path: Path, places: list[str]) -> None:
    mask = tmp_path / "mask.yaml"
    mask.write_text("ignore:\n  corner: [[0.6, 0], [1, 0], [1, 0.4], [0.6, 0.4]]\n")
    normal = write_clips(tmp_path / "n", (20, 20))
    odd = write_clips(tmp_path / "o", (20,), odd=((0, 9),))
    assert main([*train_words(normal, places), f"footage.mask={mask}"]) == 0
    assert main([*score_words(tmp_path, odd, places), "scoring.smooth_frames=0"]) == 0
    results = read_results(tmp_path / "scores/s")
    watched = results.watched()
    assert watched is not None
    assert not watched[:12, 20:].any()
    assert watched[14:].all()
    assert (results.map_of(9)[:12, 20:] == 0).all()
    assert not results.table["alarm"].iloc[9]


def test_an_edited_mask_is_another_setting(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    mask = tmp_path / "mask.yaml"
    mask.write_text("ignore:\n  corner: [[0.6, 0], [1, 0], [1, 0.4]]\n")
    words = [*train_words(write_clips(tmp_path / "n", (20, 20)), places), f"footage.mask={mask}"]
    assert main(words) == 0
    mask.write_text(mask.read_text() + "# of the clock\n")
    assert main(words) == 2
    shown = capsys.readouterr().err
    assert "holds a run with other settings (mask_content: " in shown
    assert shown.count("\n") == 1
    settings = next((tmp_path / "checkpoints").glob("*/settings.json"))
    older = json.loads(settings.read_text())
    older.pop("mask_content")
    settings.write_text(json.dumps(older))
    assert main(words) == 0  # a run of before cannot tell
    assert "is trained already" in capsys.readouterr().out


def test_one_bad_file_among_many_is_told_and_the_rest_scored(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    footage = write_clips(tmp_path / "n", (20, 20), suffix=".jpg")
    whole = (footage / "c0/005.jpg").read_bytes()
    (footage / "c0/005.jpg").write_bytes(whole[: len(whole) // 2])
    (footage / "c0/006.jpg").write_bytes(b"")
    cv2.imwrite(str(footage / "c1/003.jpg"), frame_image(3, size_hw=(16, 48)))
    assert main(train_words(footage, places)) == 0
    assert main(score_words(tmp_path, footage, places)) == 0
    out = capsys.readouterr().out
    assert "scored 37 of 40 frames" in out
    assert "1 x empty file" in out
    assert "1 x truncated" in out
    assert "shape 48x16, clip began with 32x32" in out
    table = read_results(tmp_path / "scores/s").table
    assert table["raw"].isna().sum() == 3
    assert not table.loc[table["raw"].isna(), "alarm"].any()
    summary = json.loads((tmp_path / "scores/s/summary.json").read_text())
    assert sum(summary["left_out"].values()) == 3


@pytest.mark.parametrize("phase", ["train", "score"])
def test_ctrl_c_is_one_line_and_the_same_command_continues(
    phase: str, tmp_path: Path, places: list[str]
) -> None:
    footage = write_clips(tmp_path / "n", (60, 60, 60))
    train = reworded(train_words(footage, places), "trainer.max_epochs=400")
    if phase == "score":
        assert main(train_words(footage, places)) == 0
        words = [*score_words(tmp_path, footage, places), "batch_frames=1"]
        begun = tmp_path / "scores/s.part/parts/00000000.parquet"
    else:
        words, begun = train, tmp_path / "checkpoints/run/lightning/last.ckpt"
    process = subprocess.Popen(
        [sys.executable, "-m", "tlae", *words],
        stderr=subprocess.PIPE,
        text=True,
        # background jobs of a shell ignore Ctrl-C, and their children with them
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not begun.exists():
        assert process.poll() is None, "ended before it could be interrupted"
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "interrupted; the same command continues" in errors
    final = "scores/s/scores.parquet" if phase == "score" else "checkpoints/run/model.safetensors"
    assert not (tmp_path / final).exists()
    if phase == "score":
        assert main(words) == 0
        assert (tmp_path / final).exists()


@pytest.mark.slow
def test_two_processes_give_one_run_folder(tmp_path: Path, places: list[str]) -> None:
    footage = write_clips(tmp_path / "n", (20, 20, 20))
    words = [*train_words(footage, places), "trainer.devices=2", "trainer.strategy=ddp"]
    done = subprocess.run(
        [sys.executable, "-m", "tlae", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["run"]
    assert load_model(tmp_path / "checkpoints/run/model.safetensors").training["steps"] == 4
