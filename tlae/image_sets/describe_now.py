"""Describe pictures for one use, without keeping a store."""

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.errors import UserError
from tlae.footage.sources import Footage
from tlae.image_sets.describe import describe_footage
from tlae.image_sets.descriptor_settings import (
    LITE0,
    NAMES,
    RANDOM,
    RANDOM_ORIGIN,
    DescriptorSettings,
)
from tlae.image_sets.descriptor_store import IDS, Descriptors, DescriptorWriter
from tlae.image_sets.descriptors import build_descriptor
from tlae.image_sets.named_pictures import open_pictures
from tlae.learnt_package import LITE0_FILE
from tlae.parquet_file import read_parquet
from tlae.progress import progress

BATCH = 32
QUADRANTS_HW = (2, 2)


@dataclass(frozen=True)
class Described:
    """Finite descriptors and the pictures they belong to.

    Attributes:
        ids: path, clip, frame, taken_at of each picture.
        values: (N, D).
        facts: see ``Descriptors.facts``.
        images: footage that they were described from; None: not known.
        left_out: number of pictures without finite descriptors.
        settings: of the descriptor, with which further pictures can be described; None: not known.
        store: folder that they were read from; None: described just now.
        footage: the pictures, where they were described just now.
    """

    ids: pd.DataFrame
    values: npt.NDArray[Any]
    facts: dict[str, Any]
    images: str | None
    left_out: int = 0
    settings: dict[str, Any] | None = None
    store: Path | None = None
    footage: Footage | None = None


def describe_now(
    images: str | Footage,
    settings: DescriptorSettings,
    *,
    quadrants: bool = False,
    setting: str = "images",
) -> Described:
    """Describe pictures into memory.

    Args:
        images: footage, or what ``open_footage`` takes.
        settings: of the descriptor.
        quadrants: describe the four quadrants of each picture, see ``pooled_quadrants``.
        setting: of the command, that gave the images.

    Raises:
        UserError: nothing is there, or no picture can be read.
    """
    footage = open_pictures(images, setting) if isinstance(images, str) else images
    descriptor = build_descriptor(settings)
    facts = {
        "descriptor": settings.descriptor,
        "settings": settings.relevant(),
        "images": {"path": str(Path(footage.spec).expanduser().absolute())},
        **descriptor.facts,
    }
    with TemporaryDirectory(prefix="tlae-") as folder:
        store = Path(folder)
        tiles = QUADRANTS_HW if quadrants else None
        with (
            DescriptorWriter(store, settings.descriptor, descriptor.dimensions, facts) as writer,
            progress(f"describing {footage.name}", None, "images") as advance,
        ):
            describe_footage(footage, descriptor, writer, BATCH, tiles, advance)
            described = writer.finish()
        pictures = len(read_parquet(store / IDS, ["clip", "frame"]).frame().drop_duplicates())
        found = in_memory(described)
    found = _pooled(found) if quadrants else found
    left_out = pictures - len(found.ids)
    return Described(
        found.ids,
        found.values,
        found.facts,
        found.images,
        left_out,
        asdict(settings),
        footage=footage,
    )


def in_memory(described: Descriptors) -> Described:
    """Finite rows of a store.

    Raises:
        UserError: no row is finite.
    """
    usable = described.usable()
    if not usable.any():
        raise UserError(f"no descriptor in {described.folder} is finite; describe again")
    values = np.array(described.values[usable])
    ids = described.ids[usable].reset_index(drop=True)
    left_out = int((~usable).sum())
    settings = settings_of(described.facts)
    return Described(
        ids,
        values,
        described.facts,
        images_of(described.facts),
        left_out,
        settings,
        described.folder,
    )


def images_of(facts: dict[str, Any]) -> str | None:
    """The footage that a store was described from; None: imported."""
    images = facts.get("images")
    path = images.get("path") if isinstance(images, dict) else images
    return None if path is None else str(path)


def settings_of(facts: dict[str, Any]) -> dict[str, Any] | None:
    """Settings with which further pictures can be described as those of a store were.

    None where they are not known: imported descriptors, tiles, weights from a file.
    """
    descriptor, weights = facts.get("descriptor"), str(facts.get("weights"))
    stored = dict(facts.get("settings") or {})
    if stored.pop("tiles_hw", None) or descriptor not in NAMES:
        return None
    learnt_here = descriptor == LITE0 and weights.startswith(LITE0_FILE)
    random = RANDOM_ORIGIN.fullmatch(weights)
    if not (descriptor == DescriptorSettings.descriptor or learnt_here or random):
        return None
    if random:
        stored |= {"weights": RANDOM, "seed": int(random[1])}
    try:
        return asdict(DescriptorSettings(descriptor, **stored))
    except (TypeError, ValueError):  # facts that another program wrote
        return None


def pooled_quadrants(tiles: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What all quadrants of a picture have in common, and what stands out in one of them.

    A mark is learnt from few examples wherever it lies: side by side, the quadrants would be four
    things to learn.

    Args:
        tiles: (4n, D), the quadrants of one picture after those of the other.

    Returns:
        (n, 2 D), mean and maximum of each number over the quadrants.
    """
    parts = tiles.reshape(-1, QUADRANTS_HW[0] * QUADRANTS_HW[1], tiles.shape[1])
    return np.concatenate([parts.mean(axis=1), parts.max(axis=1)], axis=1)


def _pooled(tiles: Described) -> Described:
    """Rows of four tiles (4n, D) to rows of whole pictures (n, 2 D)."""
    parts = QUADRANTS_HW[0] * QUADRANTS_HW[1]
    ids = tiles.ids.assign(path=tiles.ids["path"].str.rpartition("#")[0])
    picture = ["path", "clip", "frame"]  # all frames of a video have one path
    whole = ids.groupby(picture)["path"].transform("size") == parts
    ids = ids[whole].drop_duplicates(picture)
    values = pooled_quadrants(tiles.values[whole.to_numpy()])
    return Described(ids.reset_index(drop=True), values, tiles.facts, tiles.images, tiles.left_out)
