"""Long footage: score rate, resident memory, and what SIGKILL does to a job.

    python scripts/endurance.py [--frames 10000 100000] [--kills 5] [--folder DIR]
    python scripts/endurance.py --synthetic 100000 1000000

The first makes so many small JPEGs, scores each number of them in a process of its own, then scores
the most of them once more, killed at random moments and started again, and compares the tables.
The second scores frames that are made in memory, without files. With --folder what is made stays.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import torch

from tlae.footage.frames import Frame, Image, TimeSource, Wanted
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import Footage
from tlae.footage.store import open_store
from tlae.footage.windows import segments
from tlae.model_file import load_model
from tlae.progress import quiet
from tlae.scoring.calibrate import PerMode
from tlae.scoring.job import ScoringJob
from tlae.scoring.job_folder import footage_facts
from tlae.scoring.results import score_table, write_tables
from tlae.scoring.scorer import FrameScorer

SIZE_HW = (48, 64)
NET_HW = (32, 32)
INTERVAL_S = 60
BEGIN = datetime(2023, 1, 1)
TABLES = ("scores.parquet", "scores.csv", "events.json", "ledger.csv")


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--synthetic", type=int, nargs="+")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", type=int, default=1000, help="frames to train on")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        score_synthetic(arguments.folder, arguments.child)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        counts = arguments.synthetic or arguments.frames
        write_stills(folder, max([arguments.train, *([] if arguments.synthetic else counts)]))
        train(folder, arguments.train)
        print("| frames | seconds | frames/s | peak resident memory |\n|---|---|---|---|")
        if arguments.synthetic:
            for count in counts:
                child = [__file__, "--child", str(count), "--folder", str(folder)]
                tell(count, *measured(child))
            return
        for count in counts:
            tell(count, *measured(score_words(folder, part_of(folder, count), f"{count}")))
        compare_killed(folder, max(counts), arguments.kills, random.Random(arguments.seed))


def picture(number: int) -> Image:
    """A graded background whose light goes through the day, noise, and a thing that walks."""
    height, width = SIZE_HW
    minute = number % 1440
    light = 60 + 60 * np.sin(np.pi * minute / 1440)
    image = np.random.default_rng(number).normal(light, 3, SIZE_HW) + np.linspace(0, 40, width)
    left = number % (width - 8)
    image[height // 2 : height // 2 + 8, left : left + 8] += 50
    return np.repeat(image.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def moment(number: int) -> datetime:
    """When a frame was taken."""
    return BEGIN + timedelta(seconds=INTERVAL_S * number)


def write_stills(folder: Path, count: int) -> None:
    """Small JPEGs with their times in their names; those that are there are left."""
    stills = folder / "stills"
    stills.mkdir(parents=True, exist_ok=True)
    for number in range(len(os.listdir(stills)), count):  # noqa: PTH208 -- a hundred thousand
        cv2.imwrite(str(stills / f"{moment(number):%Y-%m-%dT%H_%M_%S}.jpg"), picture(number))


def part_of(folder: Path, count: int) -> Path:
    """A folder with the first so many stills, by links."""
    part = folder / f"stills-{count}"
    if not part.is_dir():
        part.mkdir()
        for name in sorted(os.listdir(folder / "stills"))[:count]:  # noqa: PTH208
            os.link(folder / "stills" / name, part / name)
    return part


def places(folder: Path) -> list[str]:
    """Where everything goes."""
    names = ("checkpoints", "scores", "cache")
    return [f"paths.{name}={folder}/{name}" for name in names]


def train(folder: Path, frames: int) -> None:
    """A small net, trained for long enough to have weights."""
    settings = f"model=cae_small name=small footage.size_hw=[{NET_HW[0]},{NET_HW[1]}]".split()
    short = ["training.windows_per_epoch=160", "trainer.max_epochs=1", "training.compute=float32"]
    footage = f"footage={part_of(folder, frames)}"
    measured(["-m", "tlae", "train", footage, *settings, *short, *places(folder)])


def score_words(folder: Path, footage: Path, name: str) -> list[str]:
    """Arguments of Python that score a footage."""
    model = f"model_file={folder}/checkpoints/small/model.safetensors"
    return ["-m", "tlae", "score", model, f"footage={footage}", f"name={name}", *places(folder)]


def measured(words: list[str]) -> tuple[float, float]:
    """Run Python in a process of its own; returns seconds and peak resident memory [MiB]."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        sys.exit(f"python {' '.join(words)} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def tell(count: int, seconds: float, peak_mib: float) -> None:
    """One row of the table."""
    print(
        f"| {count:,} | {seconds:.0f} | {count / seconds:,.0f} | {peak_mib:,.0f} MiB |", flush=True
    )


def compare_killed(folder: Path, count: int, kills: int, rng: random.Random) -> None:
    """Score what was scored without a break again, with a cache of its own, killed and resumed."""
    words = score_words(folder, part_of(folder, count), "killed")[:-1]
    words.append(f"paths.cache={folder}/killed-cache")
    for stale in (folder / "killed-cache", folder / "scores/killed", folder / "scores/killed.part"):
        shutil.rmtree(stale, ignore_errors=True)
    frame_bytes = NET_HW[0] * NET_HW[1]
    for target in sorted(rng.uniform(0, 2 * count) for _ in range(kills)):
        process = subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and work_done(folder, frame_bytes) < target:
            time.sleep(0.05)
        if process.poll() is not None:
            sys.exit("the job ended before it could be killed; give it more frames")
        time.sleep(rng.uniform(0, 0.2))  # not at the very end of a chunk
        process.send_signal(signal.SIGKILL)
        process.wait()
        stage = "reading" if target < count else "scoring"
        print(f"killed while {stage}, {work_done(folder, frame_bytes) / (2 * count):.0%} done")
    seconds, _ = measured(words)
    whole, killed = folder / "scores" / str(count), folder / "scores/killed"
    differing = [
        name for name in TABLES if (whole / name).read_bytes() != (killed / name).read_bytes()
    ]
    print(f"ended {seconds:.0f} s after the last start; tables that differ: {differing or 'none'}")
    if differing:
        sys.exit(1)


def work_done(folder: Path, frame_bytes: int) -> float:
    """Frames read plus frames scored of the job that is killed; a finished chunk counts."""
    read = sum(f.stat().st_size for f in folder.glob("killed-cache/*/frames.u8")) / frame_bytes
    return read + 128 * len(list((folder / "scores/killed.part/parts").glob("*.parquet")))


@dataclass(frozen=True)
class SyntheticClip:
    """Frames made in memory; see ``tlae.footage.frames.Clip``."""

    length: int
    name: str = "synthetic"
    time_source: TimeSource = TimeSource.FILENAME
    has_wall_clock: bool = True

    def fingerprint(self) -> Iterator[str]:
        """The frames depend on their number alone."""
        yield "synthetic"
        yield str(self.length)

    def settled(self) -> "tuple[SyntheticClip | None, list[str]]":
        """No one writes to it."""
        return self, []

    def frames(
        self, start: int = 0, min_hw: tuple[int, int] | None = None, wanted: Wanted | None = None
    ) -> Iterator[Frame]:
        """All frames from ``start`` on that are wanted."""
        for number in range(start, self.length):
            time_s, taken_at = float(INTERVAL_S * number), moment(number)
            if wanted is None or wanted(time_s, taken_at):
                path = f"synthetic/{number:08d}"
                yield Frame(self.name, number, time_s, taken_at, path, picture(number))


def score_synthetic(folder: Path, count: int) -> None:
    """Score frames made in memory, with the parts that `tlae score` is made of."""
    model = load_model(folder / "checkpoints/small/model.safetensors")
    footage = Footage("synthetic", (SyntheticClip(count),))
    store = open_store(footage, Preprocessing(NET_HW), folder / "cache")
    runs = segments(store.index, model.detector.gap_s)
    part = folder / "scores" / f"synthetic-{count}"
    scorer = FrameScorer(model.detector, model.rule, torch.device("cpu"))
    job = ScoringJob(part, store, runs, footage_facts(store), keep_rebuilt=False)
    job.run(scorer, 16, quiet)
    calibration = model.calibration.smoothed(model.rule.smooth_frames, causal=True)
    table = score_table(
        *(store, job.table(), runs, model.rule, calibration, PerMode(1.0)), folder=part
    )
    write_tables(part, table, [])


if __name__ == "__main__":
    main()
