"""Small descriptors whose groups are known."""

from pathlib import Path

import numpy as np
import pandas as pd

from tlae.image_sets.descriptor_store import DescriptorWriter


def groups(
    sizes: tuple[int, ...] = (40, 30, 20), odd: int = 5, width: int = 6
) -> tuple[np.ndarray, np.ndarray]:
    """Tight clouds far apart, and rows that stand alone: values (N, width), labels (N,)."""
    rng = np.random.default_rng(0)
    centres = 12 * np.eye(width)[: len(sizes)]
    parts = [rng.normal(c, 0.3, (n, width)) for c, n in zip(centres, sizes, strict=True)]
    far = rng.choice([-1, 1], (odd, width)) * rng.uniform(25, 60, (odd, width))
    labels = np.repeat([*range(len(sizes)), -1], [*sizes, odd])
    return np.concatenate([*parts, far]).astype(np.float32), labels


def write_store(
    folder: Path, values: np.ndarray, facts: dict[str, object] | None = None, name: str = "made"
) -> Path:
    """A store with one descriptor; pictures are called 0.png, 1.png, ..., one every hour."""
    items = pd.DataFrame(
        {
            "path": [f"{n}.png" for n in range(len(values))],
            "clip": "c",
            "frame": range(len(values)),
            "taken_at": pd.date_range("2026-01-01", periods=len(values), freq="h").as_unit("us"),
            "state": "ok",
        }
    )
    with DescriptorWriter(folder, name, values.shape[1], facts or {}) as writer:
        writer.append(items, values)
        writer.finish()
    return folder
