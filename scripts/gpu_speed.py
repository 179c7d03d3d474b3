"""Speed on a GPU: scoring with maps, training, and whether scores equal those of the processor.

    python scripts/gpu_speed.py [--footage UCSDped2/Train] [--frames 4096] [--size 256 256]

The first table scores frames that lie in memory, copies in both directions included. Shares are of
the peak that large products and convolutions reach in the same run. With --footage, the published
recipe for UCSD Ped2 is trained on it, decoding and calibration included. Without a GPU the script
runs on the processor, for tests.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

import tlae
from tlae.device import pick_device
from tlae.footage.frames import Image
from tlae.lab.scenes import SceneOptions, write_scene
from tlae.lab.speed.peak import net_alone, operations
from tlae.model_file import Model
from tlae.scoring.scorer import FrameScorer

MODELS = ("cae_small", "segmenter", "predictor", "stae_small", "convlstm_small")
REPEATS = 5
COMPARED_FRAMES = 64  # scored on the processor too
PRECISIONS = ("float32", "bfloat16")
WAYS = (("float32", False), ("bfloat16", False), ("bfloat16", True))  # precision, compiled


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--footage", help="normal footage to train the recipe for Ped2 on")
    parser.add_argument("--models", nargs="+", default=MODELS, help="nets of the first table")
    parser.add_argument("--frames", type=int, default=4096, help="scored for each figure")
    parser.add_argument("--batch", type=int, default=256, help="frames given to the net at once")
    parser.add_argument("--size", type=int, nargs=2, default=(256, 256), help="height and width")
    parser.add_argument("--plain", action="store_true", help="compile nothing")
    parser.add_argument("--edge", type=int, default=8192, help="of the matrices of the peak")
    arguments = parser.parse_args()
    device = pick_device("auto")
    peaks = {name: peak(device, getattr(torch, name), arguments.edge) for name in PRECISIONS}
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
    print(f"{name}, torch {torch.__version__}; ", end="")
    print(", ".join(f"{flops / 1e12:,.1f} TFLOP/s in {name}" for name, flops in peaks.items()))
    with tempfile.TemporaryDirectory() as folder:
        models = trained(Path(folder), arguments.models, tuple(arguments.size))
        show_scoring(models, arguments, device, peaks)
        if arguments.footage:
            show_training(Path(folder), arguments.footage)


def trained(folder: Path, names: list[str], size_hw: tuple[int, int]) -> dict[str, Model]:
    """Models of a drawn scene, after a few steps: what they learnt does not matter here."""
    options = SceneOptions(
        train_clips=1, train_frames=160, test_clips=1, test_frames=60, size_hw=size_hw
    )
    write_scene(folder / "scene", options)
    few: dict[str, object] = {
        "trainer.max_epochs": 1,
        "training.windows_per_epoch": 32,
        "training.pictures": 0,
    }
    few |= {"footage.size_hw": list(size_hw), "training.compute": "float32+channels_last"}
    return {
        name: tlae.train(
            str(folder / "scene/Train"), name, out=folder / name, settings=few, progress=False
        )
        for name in names
    }


def show_scoring(
    models: dict[str, Model],
    arguments: argparse.Namespace,
    device: torch.device,
    peaks: dict[str, float],
) -> None:
    """Frames a second, the net's share of the peak, and the difference to the processor."""
    rng = np.random.default_rng(0)
    print("\n| model | arithmetic | frames/s with maps | net alone | of the peak | difference |")
    print("|---|---|---|---|---|---|")
    for name, model in models.items():
        height, width = model.detector.preprocessing.size_hw
        channels = model.detector.preprocessing.channels
        shape = (arguments.frames, height, width, channels)
        frames = rng.integers(0, 256, shape, np.uint8)
        few = frames[:COMPARED_FRAMES]
        scorer = FrameScorer(model.detector, model.rule, torch.device("cpu"))
        expected = scored(scorer, few, len(few))
        for precision, compiled in WAYS[: 2 if arguments.plain else None]:
            scorer = FrameScorer(model.detector, model.rule, device, precision, compiled=compiled)
            found = scored(scorer, few, len(few))
            off = np.nanmax(np.abs(found - expected)) / np.nanmax(expected)
            each_s = median_s(partial(scored, scorer, frames, arguments.batch), device)
            batch = torch.from_numpy(frames[: arguments.batch])
            batch = batch.to(device).permute(0, 3, 1, 2).float() / 255
            if not compiled:  # what is compiled is not counted
                flops = operations(scorer, batch)
            net_s = median_s(partial(net_alone, scorer, batch), device)
            pace, net_pace = arguments.frames / each_s, arguments.batch / net_s
            share = flops / net_s / peaks[precision]
            words = f"{precision}, compiled" if compiled else precision
            print(
                f"| `{name}` | {words} | {pace:,.0f} | {net_pace:,.0f} | {share:.1%} | {off:.1e} |",
                flush=True,
            )


def scored(scorer: FrameScorer, frames: Image, batch: int) -> np.ndarray:
    """Raw scores of a run, batch by batch; the maps are made and fetched as well."""
    scorer.reset()
    parts = [scorer.push(frames[at : at + batch]) for at in range(0, len(frames), batch)]
    return np.concatenate([part.instant for part in [*parts, scorer.finish()]])


def peak(device: torch.device, dtype: torch.dtype, edge: int) -> float:
    """The faster of a large matrix product and a large convolution [operations a second]."""
    left, right = (torch.randn(edge, edge, device=device, dtype=dtype) for _ in range(2))
    side = max(8, edge // 64)
    planes = torch.randn(32, 256, side, side, device=device, dtype=dtype)
    weights = torch.randn(256, 256, 3, 3, device=device, dtype=dtype)
    planes = planes.to(memory_format=torch.channels_last)
    weights = weights.to(memory_format=torch.channels_last)
    product_s = median_s(lambda: left @ right, device)
    convolution_s = median_s(lambda: torch.conv2d(planes, weights, padding=1), device)
    convolved = 2 * 9 * 256 * 256 * 32 * side**2
    return max(2 * edge**3 / product_s, convolved / convolution_s)


def median_s(run: Callable[[], object], device: torch.device) -> float:
    """Median seconds of a few runs, after one to warm up."""
    seconds = []
    for _ in range(1 + REPEATS):
        started = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def show_training(folder: Path, footage: str) -> None:
    """Seconds of the recipe for UCSD Ped2, twice: the second time its frames are decoded."""
    print("\n| training `experiment=ped2_segmenter` | seconds |\n|---|---|")
    for row in ("first time, decoding included", "again, frames decoded"):
        started = time.perf_counter()
        settings = {"experiment": "ped2_segmenter", "paths.cache": str(folder / "cache")}
        tlae.train(footage, out=folder / row.split(",")[0], settings=settings, progress=False)
        print(f"| {row} | {time.perf_counter() - started:.1f} |", flush=True)


if __name__ == "__main__":
    main()
