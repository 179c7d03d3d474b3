"""A small descriptor store of real little pictures: two groups of colours, far apart."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from tlae.image_sets.descriptor_store import Descriptors, DescriptorWriter

GROUP = 30  # pictures in each of the two groups
WIDTH = 6  # numbers in a descriptor


def two_groups() -> np.ndarray:
    """(2 * GROUP, WIDTH): the first half near 0, the second near 10."""
    rng = np.random.default_rng(0)
    centre = np.repeat([0.0, 10.0], GROUP)[:, np.newaxis]
    return np.asarray(centre + rng.normal(size=(2 * GROUP, WIDTH)), np.float32)


def write_store(
    folder: Path, values: np.ndarray | None = None, *, pictures: bool = True, times: bool = True
) -> Descriptors:
    """A store ``folder/photos.desc``; its pictures lie in ``folder/pictures``."""
    values = two_groups() if values is None else np.asarray(values, np.float32)
    place = folder / "pictures"
    place.mkdir(exist_ok=True)
    paths = [place / f"{number:03d}.png" for number in range(len(values))]
    if pictures:
        for number, path in enumerate(paths):
            shade = 40 if number < len(values) / 2 else 200
            cv2.imwrite(str(path), np.full((12, 18, 3), shade, np.uint8))
    days = pd.date_range("2026-05-01 06:30", periods=len(values), freq="h")
    items = pd.DataFrame(
        {
            "path": [str(path) for path in paths],
            "clip": "pictures",
            "frame": np.arange(len(values)),
            "taken_at": days if times else pd.NaT,
            "state": "ok",
        }
    )
    with DescriptorWriter(folder / "photos.desc", "shade", values.shape[1], {}) as writer:
        writer.append(items, values)
        return writer.finish()


def write_labels(path: Path, described: Descriptors, labels: list[int]) -> Path:
    """A label table as `tlae cluster` writes it."""
    table = described.ids[["path", "clip", "frame"]].assign(
        label=labels, score=np.linspace(0, 1, len(labels))
    )
    table.to_parquet(path, index=False)
    return path
