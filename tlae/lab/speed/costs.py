"""What a frame costs by the number of frames, of pixels, and by the length of the window."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tlae.footage.sources import open_footage
from tlae.footage.store import open_store
from tlae.lab.speed.models import short_training
from tlae.lab.speed.stages import CPU, Bench, pushed
from tlae.lab.speed.timing import pace_of
from tlae.model_file import Model
from tlae.scoring.scorer import FrameScorer

SIZES_HW = ((64, 96), (128, 192), (192, 288), (256, 384))
WINDOWS = (4, 8, 16)
SIZED, WINDOWED = "cae_small", "stae_small"  # the nets that are measured


@dataclass(frozen=True)
class Cost:
    """One point of a plot.

    Attributes:
        of: "frames", "pixels" or "window".
        amount: of it.
        ms: milliseconds for each frame, net and maps.
    """

    of: str
    amount: int
    ms: float


def measure_costs(bench: Bench) -> Iterator[Cost]:
    """All points, each as soon as it is measured."""
    model, _ = bench.models.get(SIZED) or short_training(bench.folder, bench.footage, SIZED)
    for share in (8, 4, 2, 1):
        frames = bench.footage.frames // share
        yield Cost("frames", frames, _ms(bench, model, frames))
    for height, width in SIZES_HW:
        size = f"footage.size_hw=[{height},{width}]"
        model, _ = short_training(bench.folder, bench.footage, SIZED, f"-{height}", size)
        yield Cost("pixels", height * width, _ms(bench, model, bench.footage.frames // 4))
    for window in WINDOWS:
        words = f"footage.window_frames={window}", "footage.strides=[1]"
        model, _ = short_training(bench.folder, bench.footage, WINDOWED, f"-{window}", *words)
        yield Cost("window", window, _ms(bench, model, bench.footage.frames // 4))


def _ms(bench: Bench, model: Model, frames: int) -> float:
    cache = bench.folder / "cache"
    store = open_store(open_footage(str(bench.footage.small)), model.preprocessing, cache)
    pictures = store.read(np.arange(frames))
    scorer = FrameScorer(model.detector, model.rule, CPU, model.detector.precision)
    return 1000 / pace_of(lambda: pushed(scorer, pictures), frames, bench.repeats).median
