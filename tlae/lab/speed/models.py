"""Models to measure, and training beside the plain loop of a notebook."""

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tlae.compose import settings_of_words
from tlae.lab.speed.footage import SpeedFootage
from tlae.lab.speed.timing import Pace, pace_of
from tlae.model_file import Model, build_net, load_model
from tlae.workflows.train import train_named

BATCH = 16
WINDOWS = 160  # an epoch
LEARNING_RATE = 1e-3


def short_training(
    folder: Path, footage: SpeedFootage, name: str, suffix: str = "", *words: str
) -> tuple[Model, Path]:
    """A model after a few steps, and its file: what it learnt does not matter here.

    Args:
        folder: for the run.
        footage: see ``write_footage``.
        name: of the net.
        suffix: of the run's name.
        words: further settings of `tlae train`.
    """
    run = f"{name}{suffix}"
    _train(folder, footage, name, run, 1, "training.compute=float32", *words)
    file = folder / "checkpoints" / run / "model.safetensors"
    return load_model(file), file


def _train(
    folder: Path, footage: SpeedFootage, name: str, run: str, epochs: int, *words: str
) -> None:
    given = [f"footage={footage.small}", f"model={name}", f"name={run}"]
    given += [f"trainer.max_epochs={epochs}", f"training.windows_per_epoch={WINDOWS}"]
    given += [f"training.batch_size={BATCH}", "training.pictures=0"]
    given += [f"paths.checkpoints={folder}/checkpoints", f"paths.cache={folder}/cache"]
    train_named(settings_of_words("train", [*given, *words]))


def training_pace(folder: Path, footage: SpeedFootage, name: str, repeats: int) -> Pace:
    """Windows a second of `tlae train` as it is: three epochs less one, so that no start counts.

    Args:
        folder: for the runs.
        footage: see ``write_footage``.
        name: of the net.
        repeats: >= 1.
    """
    paces = []
    for number in range(repeats):
        seconds = []
        for epochs in (1, 3):
            started = time.perf_counter()
            _train(folder, footage, name, f"{name}-{epochs}-epochs-{number}", epochs)
            seconds.append(time.perf_counter() - started)
        paces.append(2 * WINDOWS / max(seconds[1] - seconds[0], 1e-9))
    return Pace(float(np.median(paces)), min(paces), max(paces))


def plain_pace(model: Model, footage: SpeedFootage, repeats: int) -> Pace:
    """Windows a second of the loop that a notebook has: one picture read at a time, Adam.

    The net is the same, newly built; float32, no compilation, nothing read ahead.

    Args:
        model: of the net.
        footage: see ``write_footage``.
        repeats: >= 1.
    """
    files = sorted((footage.small).rglob("*.jpg"))
    net = build_net(model.detector.net_config).train()
    optimiser = torch.optim.Adam(net.parameters(), LEARNING_RATE)

    def epoch() -> None:
        for clips in _batches(model, files):
            optimiser.zero_grad()
            loss = F.mse_loss(net(clips), net.target(clips))
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    return pace_of(epoch, WINDOWS // BATCH * BATCH, repeats, warm_up=False)


def _batches(model: Model, files: list[Path]) -> Iterator[Tensor]:
    detector = model.detector
    span = (detector.window_frames - 1) * detector.stride + 1
    generator = np.random.default_rng(0)
    for _ in range(WINDOWS // BATCH):
        clips = []
        for start in generator.integers(0, len(files) - span + 1, BATCH):
            window = files[start : start + span : detector.stride]
            clips.append(torch.stack([_picture(model, file) for file in window], dim=1))
        yield torch.stack(clips)


def _picture(model: Model, file: Path) -> Tensor:
    """(C, H, W) in [0, 1]."""
    height, width = model.preprocessing.size_hw
    grey = model.preprocessing.channels == 1
    picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
    assert picture is not None
    small = cv2.resize(picture, (width, height)).reshape(height, width, -1)
    return torch.from_numpy(np.ascontiguousarray(small)).permute(2, 0, 1).float() / 255
