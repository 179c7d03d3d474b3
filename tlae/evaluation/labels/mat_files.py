"""Pixel masks in MATLAB files, one for each clip, as CUHK Avenue has them."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat

from tlae.errors import UserError
from tlae.evaluation.ground_truth import Mask
from tlae.evaluation.labels.fit import Truths, check_count, check_known
from tlae.evaluation.labels.masks import truth_of_masks

VARIABLES = ("volLabel", "vol")

Volume = Sequence[npt.NDArray[Any]]
"""Masks (H, W) of a clip, one after the other."""


def read_mat_files(files: Sequence[Path], lengths: Mapping[str, int], where: Path) -> Truths:
    """Read masks of CUHK Avenue (Lu et al., ICCV 2013); only the last clip read stays in memory.

    A file belongs to the clip with the same number in its name: ``1_label.mat`` to ``01``.

    Args:
        files: one for each clip, or for some of them; see ``read_volume``.
        lengths: frames of each clip that has scores.
        where: the folder they lie in.

    Raises:
        UserError: files and clips do not match by number, another number of masks than frames, or
            a file that cannot be read.
    """
    clips = _by_number(list(lengths), "clips that have scores")
    names = _by_number([path.name for path in files], f"files in {where}")
    paths = {  # a file without a clip keeps its own name
        clips.get(number, name): where / name for number, name in names.items()
    }
    check_known(paths, lengths, where)
    volume_of = lru_cache(maxsize=1)(read_volume)  # shared: a clip takes hundreds of megabytes
    truths = {}
    for clip, path in paths.items():
        frames = len(volume_of(path))
        check_count(clip, frames, lengths[clip], path)
        truths[clip] = truth_of_masks(clip, frames, _reader(path, volume_of), path)
    return truths


def read_volume(path: Path) -> Volume:
    """Read ``volLabel`` or ``vol``: a cell of N masks (H, W), or one array (H, W, N).

    Raises:
        UserError: the file is of MATLAB 7.3, damaged, or holds neither.
    """
    try:
        content = loadmat(path, variable_names=VARIABLES)
    except NotImplementedError as error:  # HDF5 inside, which SciPy does not read
        raise UserError(
            f"{path} must be a MATLAB file up to version 7, got version 7.3; "
            f"in MATLAB: load it, then save(file, '{VARIABLES[0]}', '-v7')"
        ) from error
    except Exception as error:  # SciPy raises errors of every kind on damaged files
        raise UserError(f"{path} must be a MATLAB file, it cannot be read: {error}") from error
    found = next((content[name] for name in VARIABLES if name in content), None)
    if found is None:
        raise UserError(f"{path} must hold masks as {' or '.join(VARIABLES)}, it holds neither")
    if found.dtype == object:
        masks = list(found.flat)
    else:  # MATLAB drops a last axis of one
        masks = list(np.moveaxis(found if found.ndim > 2 else found[..., np.newaxis], -1, 0))
    if not masks or not all(map(_is_mask, masks)):
        raise UserError(
            f"masks in {path} must be a cell of (H, W) masks or an array (H, W, N), "
            f"got {found.dtype} of {found.shape}"
        )
    return masks


def _is_mask(mask: object) -> bool:
    return isinstance(mask, np.ndarray) and mask.ndim == 2 and mask.dtype.kind in "biuf"


def _reader(path: Path, volume_of: Callable[[Path], Volume]) -> Callable[[int], Mask]:
    return lambda frame: volume_of(path)[frame] != 0


def _by_number(names: Sequence[str], what: str) -> dict[int, str]:
    """Names by the last number in each."""
    found: dict[int, str] = {}
    for name in names:
        digits = re.findall("[0-9]+", name)
        if not digits:
            raise UserError(
                f"{what} must carry a number, so that .mat files match clips, got {name}"
            )
        other = found.setdefault(int(digits[-1]), name)
        if other != name:
            raise UserError(
                f"{what} must differ in their last number, so that .mat files match clips, "
                f"got {other} and {name}"
            )
    return found
