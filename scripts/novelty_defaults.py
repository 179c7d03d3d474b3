"""How well each novelty method does by default, and with other preparations, on many small sets.

python scripts/novelty_defaults.py [DATA] [--seeds 3] [--sizes 16,60] [--net efficientnet_lite0]
                                   [--fresh] [--by-set]

Drawn textures (one kind is normal, the others are not), digits, wine, breast cancer and iris of
scikit-learn, and where DATA is given the folders construction_timelapse, UCSDped2, umn_scene and
forest below it. Each seed draws other pictures to learn from. Printed are means over sets and
seeds: ROC AUC of fresh normal pictures against others, the share of fresh normal pictures that the
default threshold calls unusual, and the share of the others that it finds.

--fresh takes other sets, on which nothing was chosen: drawn shapes, drawn sites (`tlae site`), the
other digits and classes, and where DATA is given pedestrians.avi and the test clips of UCSDped2.
"""

import argparse
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pandas as pd

from tlae.cli import main as main_of_tlae
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
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--by-set", action="store_true", help="today's preparation, set by set")
    words = parser.parse_args()
    logging.disable(logging.WARNING)
    rows = []
    sets = fresh_tasks if words.fresh else tasks
    for task in sets(words.data, ("colour_histogram", words.net)):
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
    if words.by_set:
        kept = table[table["preparation"] == "default"]
        by = ["descriptor", "set", "method"]
        print(kept.groupby(by)[["AUC", "false alarms", "found"]].mean().round(3).to_string())


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
        described = describer(name)
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


def fresh_tasks(data: Path | None, descriptors: tuple[str, ...]) -> Iterator[Task]:
    """Sets on which no default was chosen."""
    for name in descriptors:
        described = describer(name)
        discs, corners = (described(drawn_shapes(kind)) for kind in ("discs", "corners"))
        yield Task("discs or triangles", name, discs, corners)
        park, garden = (drawn_site(view) for view in ("carpark", "garden"))
        (days, nights), (others, _) = ([described(p) for p in site] for site in (park, garden))
        yield Task("car park or garden", name, days, others)
        yield Task("car park by day or night", name, days, nights)
        if data is None:
            continue
        street = described(frames_of(data / "pedestrians.avi", 5))
        clips = sorted((data / "UCSDped2/Test").glob("Test???/*.jpg"))[::4]
        odd = np.array([bool(read(mask_of(path)).any()) for path in clips])
        path_ = described([read(path) for path in clips])
        yield Task("street or footpath", name, street, path_)
        yield Task("footpath with something odd", name, path_[~odd], path_[odd])
    yield from tables(digits=(2, 4, 5, 6, 7, 9), others=(0, 2))


def tables(
    digits: tuple[int, ...] = (0, 1, 3, 8), others: tuple[int, ...] = (1,)
) -> Iterator[Task]:
    """Sets of scikit-learn, as descriptors that somebody imports."""
    from sklearn import datasets

    known = datasets.load_digits()
    for digit in digits:
        own = known.target == digit
        yield Task(f"digit {digit}", "import", known.data[own], known.data[~own][::8])
    for load in (datasets.load_wine, datasets.load_breast_cancer, datasets.load_iris):
        held = load()
        for kind in sorted(set(others) & set(held.target.tolist())):
            own = held.target == kind
            yield Task(f"{load.__name__} {kind}", "import", held.data[own], held.data[~own])


def describer(name: str) -> Callable[[list[Image]], np.ndarray]:
    """What turns pictures into rows."""
    by = build_descriptor(DescriptorSettings(name))

    def described(pictures: list[Image]) -> np.ndarray:
        parts = [pictures[at : at + BATCH] for at in range(0, len(pictures), BATCH)]
        return np.concatenate([by.describe([by.prepare(one) for one in part]) for part in parts])

    return described


def drawn_shapes(kind: str) -> list[Image]:
    """Discs, or triangles, of any colours on a ground of any colour."""
    rng = np.random.default_rng(len(kind))
    pictures = []
    for _ in range(2 * TEXTURE_PICTURES):
        picture = np.full((TEXTURE_PX, TEXTURE_PX, 3), rng.integers(0, 256, 3), np.uint8)
        for _ in range(int(rng.integers(3, 9))):
            colour = [int(one) for one in rng.integers(0, 256, 3)]
            centre, radius = rng.integers(0, TEXTURE_PX, 2), int(rng.integers(6, 20))
            if kind == "discs":
                cv2.circle(picture, (int(centre[0]), int(centre[1])), radius, colour, -1)
            else:
                corners = centre + rng.integers(-radius, radius + 1, (3, 2))
                cv2.fillPoly(picture, [corners.astype(np.int32)], colour)
        noisy = picture + rng.normal(0, 6, picture.shape)
        pictures.append(noisy.clip(0, 255).astype(np.uint8))
    return pictures


def drawn_site(view: str) -> tuple[list[Image], list[Image]]:
    """Stills of two weeks by day, and those by night."""
    with TemporaryDirectory() as folder:
        words = [f"out={folder}/site", f"view={view}", "days=14", "every_minutes=60"]
        assert main_of_tlae(["site", *words, "size_hw=[192,256]"]) == 0
        stills = sorted(Path(folder, "site/Train").glob("*.jpg"))
        hours = [int(path.stem[11:13]) for path in stills]
        parts = ((8, 16), (0, 4))
        days, nights = (
            [read(p) for p, hour in zip(stills, hours, strict=True) if low <= hour < high]
            for low, high in parts
        )
    return days, nights


def frames_of(video: Path, every: int) -> list[Image]:
    """Every n-th frame of a video."""
    reader, frames = cv2.VideoCapture(str(video)), []
    while (found := reader.read())[0]:
        frames.append(np.asarray(found[1][..., ::-1], np.uint8))
    return frames[::every]


def mask_of(frame: Path) -> Path:
    """The mask of a test frame of UCSD."""
    return frame.parent.with_name(f"{frame.parent.name}_gt") / f"{frame.stem}.png"


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
