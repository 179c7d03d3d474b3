"""What distances alone add to a map: faint, at its place, and nothing where all changes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tlae.patches.evidence import DISTANCES, LEVELS, SMALLEST
from tlae.patches.faint import MOST, faint


def evidence(distance: Tensor) -> Tensor:
    """Of distances (h, w) to other days and to the hours, normal up to 1 everywhere."""
    planes = torch.full((1, DISTANCES + LEVELS, *distance.shape), float(np.log(1 + SMALLEST)))
    planes[:, :DISTANCES] = (distance + SMALLEST).log()
    return planes


def test_a_place_stands_out_faintly_and_what_changes_everywhere_does_not() -> None:
    calm = torch.full((24, 32), 0.5)
    one = calm.clone()
    one[10:12, 20:22] = 3
    found = faint(evidence(one))[0]
    assert found.argmax() in (10 * 32 + 20, 10 * 32 + 21, 11 * 32 + 20, 11 * 32 + 21)
    assert float(found.max()) == pytest.approx(MOST)
    assert float(faint(evidence(calm + 2)).max()) < 1e-6


def test_both_distances_must_be_large() -> None:
    planes = evidence(torch.full((24, 32), 0.5))
    planes[:, 0, 10, 20] = float(np.log(3))
    assert float(faint(planes)[0, 10, 20]) < 1e-6
    planes[:, DISTANCES - 1, 10, 20] = float(np.log(3))
    assert float(faint(planes)[0, 10, 20]) > 0.5 * MOST
