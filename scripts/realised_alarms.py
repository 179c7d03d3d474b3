"""Realised against asked false alarms, on stationary normal footage that no net has seen.

    python scripts/realised_alarms.py [--models cae_small ...] [--clips 25 48 0] [--frames 10000]

Draws people who come and go by chance before a still background, trains each net on clips of so
many frames (0: one long clip), scores new footage of the same kind, and counts the frames above the
thresholds that the held-out clips give. Neighbouring frames are alike, so the interval counts
stretches of ``STRETCH`` frames: asked +- 1.96 standard errors, of the held-out and the new footage.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from tlae.cli import main as tlae
from tlae.model_file import load_model
from tlae.scoring.results import read_results

MODELS = (
    "cae_small",
    "stae_small",
    "convlstm_small",
    "predictor",
    "segmenter",
    "still_segmenter",
    "copy_last",
    "running_median",
    "most_alike",
)
RATES = (0.2, 0.05, 0.01)
SIZE_HW = (48, 64)
ARRIVALS = 0.1  # people a frame
STRETCH = 50  # frames that count as one moment
TOLERANCE = 0.2  # of the asked rate

LONGEST_STAY = 40  # frames that a person is there

Flags = npt.NDArray[np.bool_]


class Person(NamedTuple):
    """Somebody in the scene: place [px], speed [px a frame], grey level, frame of leaving."""

    x: float
    y: float
    speed: float
    grey: float
    until: int


def main() -> None:
    """Print one row for each net, length of clips and rate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--clips", type=int, nargs="+", default=[25, 48, 0])
    parser.add_argument("--frames", type=int, default=10_000, help="to train on")
    parser.add_argument("--new", type=int, default=4000, help="to score")
    parser.add_argument("--windows", type=int, default=600, help="to learn from")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clips(folder / "new", asked.new, asked.new, asked.seed + 1)
        print("| net | clips | asked | realised | interval | within |\n|---|---|---|---|---|---|")
        for length in asked.clips:
            footage = folder / f"clips-{length}"
            write_clips(footage, asked.frames, length or asked.frames, asked.seed)
            for model in asked.models:
                run(folder, footage, model, asked.windows)
                for row in rows(folder, f"{model}-{footage.name}"):
                    print(f"| {model} | {length or 'one'} | {row}", flush=True)


def write_clips(folder: Path, frames: int, length: int, seed: int) -> None:
    """Clips of equal length of one camera, each of another time: they share nobody."""
    rng = np.random.default_rng(seed)
    texture = np.random.default_rng(99).uniform(0, 255, SIZE_HW).astype(np.float32)  # one camera
    background = cv2.GaussianBlur(texture, (0, 0), 3)
    background = 60 + 120 * (background - background.min()) / np.ptp(background)
    for number in range(frames // length):
        clip = folder / f"c{number:04d}"
        clip.mkdir(parents=True)
        for frame, picture in enumerate(scene(background, length, rng)):
            cv2.imwrite(str(clip / f"{frame:05d}.png"), np.repeat(picture[..., None], 3, 2))


def scene(
    background: npt.NDArray[np.float32], frames: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.uint8]]:
    """Pictures (H, W) of people who come and go by chance; any time is as good as any other."""
    height, width = SIZE_HW
    people: list[Person] = []
    for number in range(-LONGEST_STAY, frames):  # the first ones fill the scene
        for _ in range(rng.poisson(ARRIVALS)):
            x, y, speed = rng.uniform(0, width), rng.uniform(6, height - 6), rng.normal(0, 1.2)
            stay = int(rng.integers(10, LONGEST_STAY))
            people.append(Person(x, y, speed, rng.uniform(20, 230), number + stay))
        people = [one._replace(x=one.x + one.speed) for one in people if number < one.until]
        if number < 0:
            continue
        picture = background + rng.normal(0, 2, SIZE_HW)
        for one in people:
            top, left = int(one.y) - 4, int(one.x) - 2
            picture[max(0, top) : top + 8, max(0, left) : max(0, left + 4)] = one.grey
        yield picture.clip(0, 255).astype(np.uint8)


def run(folder: Path, footage: Path, model: str, windows: int) -> None:
    """Train a net for a short time, and score the new footage with it."""
    name = f"{model}-{footage.name}"
    places = [f"paths.{place}={folder}/{place}" for place in ("checkpoints", "scores", "cache")]
    size = f"footage.size_hw=[{SIZE_HW[0]},{SIZE_HW[1]}]"
    short = [f"training.windows_per_epoch={windows}", "trainer.max_epochs=1"]
    train = ["train", f"footage={footage}", f"model={model}", f"name={name}", size, *short]
    model_file = folder / "checkpoints" / name / "model.safetensors"
    score = ["score", f"model_file={model_file}", f"footage={folder}/new", f"name={name}"]
    for words in ([*train, "training.compute=float32"], [*score, "keep_rebuilt=false"]):
        with redirect_stdout(StringIO()) as said:
            status = tlae([*words, *places])
        if status:
            raise SystemExit(f"tlae {' '.join(words)} failed: {said.getvalue()}")


def rows(folder: Path, name: str) -> list[str]:
    """Asked and realised rates of one net, as ends of table rows."""
    model = load_model(folder / "checkpoints" / name / "model.safetensors")
    smoothing = model.rule.smooth_frames
    held_out = model.calibration.smoothed(smoothing, causal=model.rule.causal)
    raw = read_results(folder / "scores" / name).table["raw"].dropna().to_numpy()
    found = []
    for rate in RATES:
        level = held_out.level_for_rate(rate)
        above = raw > level
        error = np.hypot(standard_error(above, rate), standard_error(held_out.raw > level, rate))
        low, high = max(0.0, rate - 1.96 * error), rate + 1.96 * error
        realised = float(above.mean())
        near = abs(realised - rate) <= TOLERANCE * rate
        within = "20 %" if near else "interval" if low <= realised <= high else "**no**"
        found.append(f"{rate:.0%} | {realised:.1%} | {low:.1%} to {high:.1%} | {within} |")
    return found


def standard_error(above: Flags, rate: float) -> float:
    """Of the share of frames above a level, from stretches of frames; no less than binomial."""
    count = max(1, len(above) // STRETCH)
    stretches = [part.mean() for part in np.array_split(above, count)]
    binomial = float(np.sqrt(rate * (1 - rate) / len(above)))
    return max(binomial, float(np.std(stretches) / np.sqrt(count)))


if __name__ == "__main__":
    main()
