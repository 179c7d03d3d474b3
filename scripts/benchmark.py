"""Memory of scoring, cost of evaluating or of the camera; `tlae benchmark speed` tells the speed.

    python scripts/benchmark.py --memory | --evaluate | --camera [--share 0.1]

Times are of the whole process and depend on the machine; compare rows of one run with each other.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tlae.camera.canonical_store import canonical_store, observe
from tlae.camera.fit import fit_camera
from tlae.camera.options import CameraOptions
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import FrameStore, open_store
from tlae.lab.scenes import SceneOptions, write_scene


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    for option, tell, about in (
        ("--memory", tell_memory, "peak memory of scoring"),
        ("--evaluate", tell_evaluation, "time and memory of evaluating"),
        ("--camera", tell_camera, "cost of a store of canonical frames"),
    ):
        which.add_argument(option, action="store_const", const=tell, dest="tell", help=about)
    parser.add_argument("--share", type=float, default=1.0, help="of the frames: a quick look")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        arguments.tell(Path(name), arguments.share)


def tell_memory(folder: Path, share: float) -> None:
    """Peak resident memory of scoring footage of three lengths with an exported model."""
    options = SceneOptions(
        train_clips=2, train_frames=100, test_clips=1, test_frames=200, size_hw=(32, 48)
    )
    write_scene(folder / "scene", options)
    train(folder, "cae_small", "footage.size_hw=[32,48]", "training.compute=float32")
    exported = folder / "small.onnx"
    tlae(
        "export", f"model_file={folder}/checkpoints/cae_small/model.safetensors", f"out={exported}"
    )
    print("| frames | peak memory | more than before, kB a frame |\n|---|---|---|")
    before = (0, 0.0)
    for count in (round(share * frames) for frames in (2_000, 20_000, 100_000)):
        long = repeat(folder / "scene/Test/Test001", folder / f"long-{count}", count)
        words = (f"model_file={exported}", f"footage={long}", f"name=long-{count}")
        _, peak_mib = measured("score", *words, "skip_calm=true", *places(folder))
        more = (peak_mib - before[1]) * 1024 / (count - before[0]) if before[0] else 0.0
        print(f"| {count:,} | {peak_mib:,.0f} MiB | {more:.2f} |", flush=True)
        before = (count, peak_mib)


def tell_camera(folder: Path, share: float) -> None:
    """What a frame costs that a camera makes canonical, and that is kept so."""
    count = round(share * 2_000)
    options = SceneOptions(train_clips=1, train_frames=20, test_clips=1, test_frames=count)
    write_scene(folder / "scene", options)
    footage = open_footage(str(folder / "scene/Test"))
    store = open_store(footage, Preprocessing((128, 192)), folder / "cache")
    print("| camera | looking, ms | looking and keeping, ms | reading again, ms | kB |")
    print("|---|---|---|---|---|")
    for parts in (("light",), ("register",), ("light", "register")):
        camera = fit_camera(
            store, np.arange(len(store)), CameraOptions(**dict.fromkeys(parts, True))
        )
        began = time.process_time()
        observe(camera, store)
        looked = time.process_time()
        kept = canonical_store(camera, store)
        ended = time.process_time()
        read_through(kept)
        again = time.process_time()
        size = sum(file.stat().st_size for file in kept.folder.rglob("*") if file.is_file())
        times = (looked - began, ended - looked, again - ended)
        cells = " | ".join(f"{1000 * seconds / count:.3f}" for seconds in times)
        print(f"| {', '.join(parts)} | {cells} | {size / count / 1000:.1f} |", flush=True)


def read_through(store: FrameStore) -> None:
    """Read all frames, as scoring does."""
    for first in range(0, len(store), 16):
        store.read(np.arange(first, min(first + 16, len(store))))


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
