"""Memory of scoring, cost of evaluating, one table each; `tlae benchmark speed` tells the speed.

    python scripts/benchmark.py --memory | --evaluate [--share 0.1]

Times are of the whole process and depend on the machine; compare rows of one run with each other.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tlae.lab.scenes import SceneOptions, write_scene


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--memory", action="store_true", help="peak memory of scoring")
    which.add_argument("--evaluate", action="store_true", help="time and memory of evaluating")
    parser.add_argument("--share", type=float, default=1.0, help="of the frames: a quick look")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        tell = tell_memory if arguments.memory else tell_evaluation
        tell(Path(name), arguments.share)


def tell_memory(folder: Path, share: float) -> None:
    """Peak resident memory of scoring footage of two lengths."""
    options = SceneOptions(train_clips=2, train_frames=100, test_clips=1, test_frames=200)
    write_scene(folder / "scene", options)
    train(folder, "cae_small")
    print("| frames | peak memory |\n|---|---|")
    peaks = []
    for count in (round(share * 2_000), round(share * 20_000)):
        long = repeat(folder / "scene/Test/Test001", folder / f"long-{count}", count)
        _, peak_mib = score(folder, "cae_small", long, f"long-{count}")
        peaks.append(peak_mib)
        print(f"| {count:,} | {peak_mib:,.0f} MiB |", flush=True)
    print(f"\nratio {peaks[1] / peaks[0]:.3f}")


def tell_evaluation(folder: Path, share: float) -> None:
    """Seconds and peak memory of evaluating maps of 240x360 at all levels."""
    options = SceneOptions(train_clips=2, train_frames=100, test_clips=1, test_frames=200)
    write_scene(folder / "scene", options)
    train(folder, "cae_small", "footage.size_hw=[240,360]")
    print("| maps of 240x360 | seconds | peak memory |\n|---|---|---|")
    for count in (round(share * frames) for frames in (500, 1_000, 2_010)):
        long = folder / f"long-{count}"
        for name in ("Test001", "Test001_gt"):
            repeat(folder / "scene/Test" / name, long / name, count)
        score(folder, "cae_small", long, long.name)
        seconds, peak_mib = measured(
            "evaluate", f"scores={folder}/scores/{long.name}", f"labels={long}", "pictures=0"
        )
        print(f"| {count:,} | {seconds:.1f} | {peak_mib:,.0f} MiB |", flush=True)


def repeat(clip: Path, long: Path, count: int) -> Path:
    """A clip of ``count`` frames, by links to those of a short one."""
    long.mkdir(parents=True)
    pictures = sorted(clip.iterdir())
    for number in range(count):
        picture = pictures[number % len(pictures)]
        os.link(picture, long / f"{number:06d}{picture.suffix}")
    return long


def train(folder: Path, model: str, *words: str) -> str:
    """Two short epochs; returns what was printed."""
    return tlae(
        "train",
        f"footage={folder}/scene/Train",
        f"name={model}",
        f"model={model}",
        "trainer.max_epochs=2",
        "training.windows_per_epoch=320",
        *words,
        *places(folder),
    )


def score(folder: Path, model: str, footage: Path, name: str) -> tuple[float, float]:
    """Score in a process of its own; returns seconds and peak memory in MiB."""
    return measured(
        "score",
        f"model_file={folder}/checkpoints/{model}/model.safetensors",
        f"footage={footage}",
        f"name={name}",
        *places(folder),
    )


def measured(*words: str) -> tuple[float, float]:
    """Run a command in a process of its own; returns seconds and peak memory in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tlae", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit(f"tlae {' '.join(words)} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def tlae(*words: str) -> str:
    """Run a command; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tlae", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def places(folder: Path) -> list[str]:
    """Everything in the temporary folder."""
    return [
        f"paths.checkpoints={folder}/checkpoints",
        f"paths.scores={folder}/scores",
        f"paths.cache={folder}/cache",
    ]


if __name__ == "__main__":
    main()
