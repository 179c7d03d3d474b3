"""What descriptors go through before an estimator: a scaler, then principal components."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError, require_known
from tlae.image_sets.estimators import CHUNK_ROWS, draw_rows

Matrix = npt.NDArray[np.float32]

SCALERS = ("none", "standard", "floored", "robust", "minmax", "l2")
FLOOR = 0.1  # of the root mean square of all spreads: the least that ``floored`` divides by
FIT_ROWS = 50_000  # learnt from at most so many rows, drawn at random: bounds the memory


@dataclass(frozen=True)
class Preparation:
    """A scaler and principal components, learnt from one set of descriptors.

    Attributes:
        l2: rows are first brought to unit length.
        shift: (D,), taken from each row.
        factor: (D,), what is left is multiplied by it.
        components: (d, D), principal axes; None: no reduction.
        explained: share of the variance that the components keep, in (0, 1].
    """

    l2: bool
    shift: npt.NDArray[np.float64]
    factor: npt.NDArray[np.float64]
    components: npt.NDArray[np.float64] | None = None
    explained: float = 1.0

    @property
    def width(self) -> int:
        """D: width of the descriptors that it takes."""
        return len(self.shift)

    def apply(self, values: npt.NDArray[Any]) -> Matrix:
        """Prepare descriptors, a chunk at a time, so that a memory-mapped array stays on disk.

        Args:
            values: (N, D).

        Returns:
            (N, d) float32.
        """
        axes = None if self.components is None else self.components.T.astype(np.float32)
        width = self.width if axes is None else axes.shape[1]
        prepared = np.empty((len(values), width), np.float32)
        for start in range(0, len(values), CHUNK_ROWS):
            rows = self._scaled(values[start : start + CHUNK_ROWS])
            prepared[start : start + CHUNK_ROWS] = rows if axes is None else rows @ axes
        return prepared

    def _scaled(self, values: npt.NDArray[Any]) -> Matrix:
        rows = np.asarray(values, np.float32)
        if self.l2:
            rows = _unit_length(rows)
        scaled: Matrix = (rows - self.shift.astype(np.float32)) * self.factor.astype(np.float32)
        return scaled


def fit_preparation(
    values: npt.NDArray[Any],
    scaler: str = "none",
    pca: float | None = None,
    *,
    whiten: bool = False,
    seed: int = 0,
) -> Preparation:
    """Learn a preparation.

    Args:
        values: (N, D), finite; of more than ``FIT_ROWS`` rows, so many drawn at random count.
        scaler: ``none``; ``standard`` (mean 0, spread 1 of each column); ``robust`` (median 0,
            interquartile range 1); ``minmax`` (0 to 1); ``l2`` (each row to unit length);
            ``floored`` (standard, but no column is divided by less than ``FLOOR`` of what they vary
            together: one that hardly varies must not outweigh the others).
        pca: number of principal components (>= 1, no more than there are are kept), or the share of
            variance that they must keep, in (0, 1); None: no reduction.
        whiten: give all components the same spread, so that none outweighs the others.
        seed: of the rows drawn.

    Raises:
        UserError: an unknown scaler, or ``pca`` is neither.
    """
    require_known(scaler, SCALERS, "scaler")
    if pca is not None and not (0 < pca < 1 or (pca >= 1 and float(pca).is_integer())):
        raise UserError(
            f"pca must be a number of components >= 1, or a share of variance in (0, 1), got {pca}"
        )
    rows = np.asarray(draw_rows(values, FIT_ROWS, seed), np.float32)
    l2 = scaler == "l2"
    if l2:
        rows = _unit_length(rows)
    shift, factor = _scale_of(rows, scaler)
    if pca is None:
        return Preparation(l2, shift, factor)
    scaled = (rows - shift.astype(np.float32)) * factor.astype(np.float32)
    components, mean, explained = _principal_axes(scaled, pca, whiten=whiten, seed=seed)
    shift = np.asarray(shift + mean / factor, np.float64)
    return Preparation(l2, shift, factor, components, explained)


def _unit_length(rows: Matrix) -> Matrix:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), np.float32)


def _scale_of(rows: Matrix, scaler: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Shift and factor of each column; a column that never changes gets the factor 1."""
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    if scaler in ("standard", "floored"):
        fitted = StandardScaler().fit(rows)
        floor = FLOOR * np.sqrt(fitted.var_.mean()) if scaler == "floored" else 0.0
        shift, factor = fitted.mean_, 1 / np.maximum(fitted.scale_, floor)
    elif scaler == "robust":
        fitted = RobustScaler().fit(rows)
        shift, factor = fitted.center_, 1 / fitted.scale_
    elif scaler == "minmax":
        fitted = MinMaxScaler().fit(rows)
        shift, factor = fitted.data_min_, fitted.scale_
    else:
        shift, factor = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    return np.asarray(shift, np.float64), np.asarray(factor, np.float64)


def _principal_axes(
    rows: Matrix, pca: float, *, whiten: bool, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Axes (d, D), mean (D,), and the share of variance that they keep."""
    from sklearn.decomposition import PCA

    most = min(rows.shape)
    wanted: float | int = pca if pca < 1 else min(int(pca), most)
    fitted = PCA(wanted, random_state=seed).fit(rows)
    axes = np.asarray(fitted.components_, np.float64)
    variance = np.asarray(fitted.explained_variance_, np.float64)
    if whiten:
        axes = axes / np.sqrt(np.maximum(variance, variance[0] * 1e-6))[:, None]
    explained = float(np.sum(fitted.explained_variance_ratio_))
    return axes, np.asarray(fitted.mean_, np.float64), explained
