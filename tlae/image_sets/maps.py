"""Maps: descriptors laid out in two or three dimensions, so that like lies beside like."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError

Values = npt.NDArray[np.floating[Any]]
Coordinates = npt.NDArray[np.float32]
Tell = Callable[[float, str], None]  # share done in [0, 1], and what is being done

PCA_ITEMS = 20_000  # evenly spread items that axes are fitted on; all are then projected
REDUCED_TO = 50  # dimensions left by PCA before t-SNE and UMAP (van der Maaten & Hinton 2008)
CHUNK = 8192  # items held as float32 at once
FEWEST_ITEMS = 10  # below, neighbourhoods mean nothing
FEW_ITEMS = 2000  # up to so many, further threads only wait for each other
TSNE_STEPS = (250, 500)  # with early exaggeration, without: openTSNE's defaults
TOLD_EVERY = 10  # steps


@dataclass(frozen=True)
class MapMethod:
    """A way to lay descriptors out.

    Attributes:
        title: for people.
        module: Python module that it needs beyond numpy, or None.
        install: what installs that.
    """

    title: str
    module: str | None = None
    install: str = ""

    @property
    def available(self) -> bool:
        """Whether it is installed."""
        return self.module is None or find_spec(self.module) is not None


MAPS = {
    "pca": MapMethod("PCA"),
    "tsne": MapMethod("t-SNE", "openTSNE", "pip install 'tlae[serve]'"),
    "umap": MapMethod("UMAP", "umap", "pip install 'tlae[umap]'"),
}


def lay_out(
    method: str,
    values: Values,
    dimensions: int,
    seed: int = 0,
    tell: Tell = lambda share, what: None,
) -> Coordinates:
    """Lay descriptors out.

    Args:
        method: a key of ``MAPS``.
        values: (N, D); rows that are not finite are left out of the map.
        dimensions: 2 or 3.
        seed: of t-SNE and UMAP.
        tell: hears how far it is.

    Returns:
        (N, dimensions) in [-1, 1], centred, one scale for all axes; NaN where a row is left out.

    Raises:
        UserError: too few items, or a library is not installed.
    """
    chosen = MAPS[method]
    if not chosen.available:
        raise UserError(f"{chosen.title} needs {chosen.module}, which is absent; {chosen.install}")
    finite = finite_rows(values)
    count = finite.sum()
    if method != "pca" and count < FEWEST_ITEMS:
        raise UserError(
            f"{chosen.title} needs at least {FEWEST_ITEMS} items, got {count}; use the PCA map"
        )
    placed = np.full((len(values), dimensions), np.nan, np.float32)
    if count:
        reduced = _principal(values, finite, dimensions if method == "pca" else REDUCED_TO)
        if method == "tsne":
            reduced = _tsne(reduced, dimensions, seed, tell)
        elif method == "umap":
            reduced = _umap(reduced, dimensions, seed, tell)
        placed[finite] = _padded(_fit_box(reduced), dimensions)
    return placed


def finite_rows(values: Values) -> npt.NDArray[np.bool_]:
    """Which rows hold numbers only.

    Args:
        values: (N, D).

    Returns:
        (N,).
    """
    parts = [
        np.isfinite(values[at : at + CHUNK]).all(axis=1) for at in range(0, len(values), CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, bool)


def _principal(values: Values, finite: npt.NDArray[np.bool_], dimensions: int) -> Coordinates:
    """Coordinates along the directions in which the items differ most; (n, <= dimensions)."""
    rows = np.flatnonzero(finite)
    fitted = rows[np.linspace(0, len(rows) - 1, min(len(rows), PCA_ITEMS)).astype(int)]
    sample = np.asarray(values[fitted], np.float32)  # (n, D)
    mean = sample.mean(axis=0)
    sample -= mean
    if len(sample) < sample.shape[1]:
        axes = np.linalg.svd(sample, full_matrices=False)[2][:dimensions].T  # (D, d)
    else:
        axes = np.linalg.eigh(sample.T @ sample)[1][:, ::-1][:, :dimensions]  # (D, d)
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])] < 0, -1, 1)
    parts = [
        (np.asarray(values[rows[at : at + CHUNK]], np.float32) - mean) @ axes
        for at in range(0, len(rows), CHUNK)
    ]
    return np.concatenate(parts).astype(np.float32)


def _tsne(reduced: Coordinates, dimensions: int, seed: int, tell: Tell) -> Coordinates:
    """OpenTSNE (Poličar et al. 2019): FFT-accelerated in 2-D, Barnes-Hut in 3-D."""
    from openTSNE import TSNE

    total = sum(TSNE_STEPS)
    done = 0

    def each(step: int, error: float, embedding: object) -> None:
        nonlocal done
        done += TOLD_EVERY
        tell(min(done / total, 1.0), "laying out")

    tell(0.0, "finding neighbours")
    tsne = TSNE(
        n_components=dimensions,
        perplexity=min(30.0, (len(reduced) - 1) / 3),
        early_exaggeration_iter=TSNE_STEPS[0],
        n_iter=TSNE_STEPS[1],
        negative_gradient_method="auto" if dimensions == 2 else "bh",
        random_state=seed,
        n_jobs=-1 if len(reduced) > FEW_ITEMS else 1,
        callbacks=each,
        callbacks_every_iters=TOLD_EVERY,
    )
    return np.asarray(tsne.fit(reduced.astype(np.float64)), np.float32)


def _umap(reduced: Coordinates, dimensions: int, seed: int, tell: Tell) -> Coordinates:
    """umap-learn (McInnes et al. 2018)."""
    from umap import UMAP

    tell(0.0, "laying out")
    neighbours = min(15, len(reduced) - 1)
    umap = UMAP(n_components=dimensions, n_neighbors=neighbours, random_state=seed, n_jobs=1)
    return np.asarray(umap.fit_transform(reduced), np.float32)


def _fit_box(coordinates: Coordinates) -> Coordinates:
    """Centre and scale to [-1, 1], the same for all axes."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    reach = float((high - low).max()) / 2
    if reach <= 1e-12:  # all equal
        return np.zeros_like(coordinates)
    return np.asarray((coordinates - (low + high) / 2) / reach, np.float32)


def _padded(coordinates: Coordinates, dimensions: int) -> Coordinates:
    """With zeros for axes that descriptors of few dimensions do not have."""
    missing = dimensions - coordinates.shape[1]
    return np.pad(coordinates, ((0, 0), (0, missing))) if missing > 0 else coordinates
