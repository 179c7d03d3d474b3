import numpy as np
import pytest
import torch

from tlae.footage.preprocess import Preprocessing


@pytest.mark.parametrize("size_hw", [(32, 48), (64, 96)])  # as it is, and to be shrunk
def test_blue_green_red_turned_round_is_taken_as_it_is(size_hw: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    seen = Preprocessing((32, 48), 3)(picture[..., ::-1])
    assert torch.equal(
        torch.from_numpy(seen),
        torch.from_numpy(Preprocessing((32, 48), 3)(picture[..., ::-1].copy())),
    )
