"""How well each novelty method does by default, and with other preparations, on many small sets.

python scripts/novelty_defaults.py [DATA] [--seeds 3] [--sizes 16,60] [--net efficientnet_lite0]

Drawn textures (one kind is normal, the others are not), digits, wine, breast cancer and iris of
scikit-learn, and where DATA is given the folders construction_timelapse, UCSDped2, umn_scene and
forest below it. Each seed draws other pictures to learn from. Printed are means over sets and
seeds: ROC AUC of fresh normal pictures against others, the share of fresh normal pictures that the
default threshold calls unusual, and the share of the others that it finds.
"""

import argparse
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from tlae.evaluation.roc import roc_auc
from tlae.footage.frames import Image
from tlae.image_sets.descriptor_settings import DescriptorSettings
from tlae.image_sets.descriptors import build_descriptor
from tlae.image_sets.estimators import DETECTORS, anomaly_scores
from tlae.image_sets.fit_settings import NoveltyFitConfig
from tlae.image_sets.novelty import fit_novelty
from tlae.image_sets.novelty_defaults import Recipe, usual_preparation

FORMER: Recipe = ("standard", 0.9)  # what every method had before
BATCH = 16
MOST_TESTED = 60
TEXTURES, TEXTURE_PICTURES, TEXTURE_PX = 6, 90, 96


@dataclass(frozen=True)
class Task:
    """Rows of normal things and of others, (n, D) and (m, D)."""

    name: str
    descriptor: str
    normal: np.ndarray
    other: np.ndarray


def main() -> None:
    """Fit, judge, print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sizes", default="16,60")
    parser.add_argument("--net", default="efficientnet_lite0")
    parser.add_argument("--methods", default=",".join(DETECTORS))
    words = parser.parse_args()
    logging.disable(logging.WARNING)
    rows = []
    for task in tasks(words.data, ("colour_histogram", words.net)):
        for method in words.methods.split(","):
            for name, recipe in recipes(task.descriptor, method).items():
                for size in map(int, words.sizes.split(",")):
                    for seed in range(words.seeds):
                        found = judged(task, method, recipe, size, seed)
                        rows.append((task.descriptor, method, name, task.name, *found))
    columns = ("descriptor", "method", "preparation", "set", "AUC", "false alarms", "found")
    table = pd.DataFrame(rows, columns=columns)
    by = ["descriptor", "method", "preparation"]
    means = table.groupby(by)[["AUC", "false alarms", "found"]].mean()
    means["worst AUC"] = table.groupby([*by, "set"])["AUC"].mean().groupby(level=by).min()
    print(means.round(3).to_string())


def recipes(descriptor: str, method: str) -> dict[str, Recipe]:
    """Today's preparation and the former one, by name."""
    return {"default": usual_preparation(descriptor, method), "former": FORMER}


def judged(
    task: Task, method: str, recipe: Recipe, size: int, seed: int
) -> tuple[float, float, float]:
    """ROC AUC, false alarms and share found with one draw of pictures."""
    defaults = NoveltyFitConfig()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(task.normal))
    taken = min(size, 2 * len(order) // 3)
    learnt = task.normal[np.sort(order[:taken])]
    fresh = task.normal[order[taken:][:MOST_TESTED]]
    other = task.other[rng.permutation(len(task.other))[:MOST_TESTED]]
    preparation, estimator, calibration = fit_novelty(
        learnt, method, scaler=recipe[0], pca=recipe[1], folds=defaults.folds, seed=seed
    )
    calm, odd = (anomaly_scores(estimator, preparation.apply(part)) for part in (fresh, other))
    threshold = calibration.level_for_rate(defaults.false_alarm_rate)
    labels = np.repeat([False, True], [len(calm), len(odd)])
    auc = roc_auc(np.concatenate([calm, odd]), labels)
    return auc, float((calm > threshold).mean()), float((odd > threshold).mean())


def tasks(data: Path | None, descriptors: tuple[str, ...]) -> Iterator[Task]:
    """All sets, described in each way; tables come as they are."""
    for name in descriptors:
        descriptor = build_descriptor(DescriptorSettings(name))

        def described(pictures: list[Image], by=descriptor) -> np.ndarray:  # type: ignore[no-untyped-def]
            parts = [pictures[at : at + BATCH] for at in range(0, len(pictures), BATCH)]
            return np.concatenate(
                [by.describe([by.prepare(one) for one in part]) for part in parts]
            )

        kinds = [described(textures) for textures in drawn_textures()]
        for number, own in enumerate(kinds):
            rest = np.concatenate([kind[::5] for kind in kinds[:number] + kinds[number + 1 :]])
            yield Task(f"texture {number}", name, own, rest)
        if data is None:
            continue
        site = sorted((data / "construction_timelapse").glob("*.jpg"))[::2]
        hours = np.array([int(path.stem[11:13]) for path in site])
        places = described([read(path) for path in site])
        walk = described([read(p) for p in sorted((data / "UCSDped2/Train").glob("*/*.jpg"))[::17]])
        crowd = described([read(p) for p in sorted((data / "umn_scene").glob("*/*/*.jpg"))[::4]])
        wood = described([read(p) for p in sorted((data / "forest/forest").glob("*.jpg"))])
        yield Task("site or not", name, places, np.concatenate([walk, crowd, wood]))
        yield Task("day or night", name, places[(hours >= 6) & (hours < 18)], places[hours < 2])
        yield Task("walk or not", name, walk, np.concatenate([crowd, places[::5]]))
        yield Task("crowd or walk", name, crowd, walk)
    yield from tables()


def tables() -> Iterator[Task]:
    """Sets of scikit-learn, as descriptors that somebody imports."""
    from sklearn import datasets

    digits = datasets.load_digits()
    for digit in (0, 1, 3, 8):
        own = digits.target == digit
        yield Task(f"digit {digit}", "import", digits.data[own], digits.data[~own][::8])
    for load in (datasets.load_wine, datasets.load_breast_cancer, datasets.load_iris):
        held = load()
        own = held.target == 1
        yield Task(load.__name__, "import", held.data[own], held.data[~own])


def drawn_textures() -> Iterator[list[Image]]:
    """Two waves in three colours; each picture has other phases, light and noise."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[:TEXTURE_PX, :TEXTURE_PX] / TEXTURE_PX
    for _ in range(TEXTURES):
        waves, angles = rng.uniform(2, 14, 2), rng.uniform(0, np.pi, 2)
        colours = rng.integers(30, 226, (3, 3))
        pictures = []
        for _ in range(TEXTURE_PICTURES):
            turned = angles + rng.normal(0, 0.1, 2)
            along = across[..., None] * np.cos(turned) + down[..., None] * np.sin(turned)
            phase = 2 * np.pi * waves * rng.normal(1, 0.08, 2) * along + rng.uniform(0, 6.3, 2)
            first, second = np.moveaxis((np.sin(phase) + 1) / 2, -1, 0)
            picture = 0.7 * (colours[0] * first[..., None] + colours[1] * (1 - first[..., None]))
            picture = picture + 0.3 * colours[2] * second[..., None]
            picture = picture * rng.normal(1, 0.12) + rng.normal(0, 8, 3)
            noisy = picture + rng.normal(0, 8, picture.shape)
            pictures.append(noisy.clip(0, 255).astype(np.uint8))
        yield pictures


def read(path: Path) -> Image:
    """A picture as RGB."""
    picture = cv2.imread(str(path))
    assert picture is not None, path
    return np.asarray(picture[..., ::-1], np.uint8)


if __name__ == "__main__":
    main()
