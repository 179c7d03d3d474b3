"""Attributes and segmenter joined: how far the segmenter counts, and what is carried on."""

import numpy as np
import pytest
import torch

from tests.attributes.drawn_street import (
    SIZE_HW,
    Walker,
    as_tensor,
    drawn,
    frames_of,
    normal_street,
)
from tlae.models.contract import Measured
from tlae.models.joint import MOST_WEIGHT, Joint

FILM = as_tensor(drawn([Walker(-20, 64, 1.5), Walker(0, 70, 4.0)], 24, seed=2)).float() / 255


@pytest.fixture(scope="module")
def net() -> Joint:
    torch.manual_seed(0)
    joint = Joint(view_hw=(32, 48), widths=(4, 4), exemplars=2000, memory_s=0)
    mean = as_tensor(normal_street()[::8]).float().mean(dim=0) / 255
    joint.keep(frames_of(normal_street()), mean, 0.1)
    return joint.eval()


def maps(net: Joint, cuts: tuple[int, ...] = ()) -> torch.Tensor:
    state, parts = None, []
    with torch.inference_mode():
        for piece in torch.tensor_split(FILM, cuts):
            measured, state = net.measure(piece, state)
            parts.append(measured.maps)
    return torch.cat(parts)


def test_without_learning_the_attributes_decide_alone(net: Joint) -> None:
    net.settle(torch.zeros(0), learnt=False)
    alone, _ = net.attributes.measure(FILM, None)
    torch.testing.assert_close(maps(net), alone.maps)
    assert net.left_out()


@pytest.mark.parametrize("cuts", [(1,), (5, 9), tuple(range(1, 24))])
def test_piece_by_piece_is_what_the_whole_is(net: Joint, cuts: tuple[int, ...]) -> None:
    net.settle(torch.randn(400) - 6, learnt=True)
    torch.testing.assert_close(maps(net), maps(net, cuts), atol=1e-4, rtol=1e-4)
    assert not net.left_out()


def test_the_segmenter_counts_no_further_than_its_evidence(net: Joint) -> None:
    alone, _ = net.attributes.measure(FILM, None)
    limits = []
    for frames in (50, 500):
        net.settle(torch.full((frames,), -50.0), learnt=True)  # whatever it says is far above
        joined = maps(net)
        whole = joined[10:].square() - alone.maps[10:].square()
        limits.append(float(whole.max().sqrt()))
        assert limits[-1] == pytest.approx(float(net.limit), rel=1e-3)
    assert limits[0] < limits[1] <= MOST_WEIGHT * 3


def test_the_first_frames_have_no_whole_window_and_the_attributes_alone(net: Joint) -> None:
    net.settle(torch.full((500,), -50.0), learnt=True)
    alone, _ = net.attributes.measure(FILM, None)
    reach = (net.window_frames - 1) * net.stride
    values, _ = net.evidence_of(FILM, None)
    assert (values[:reach] == values[0]).all()
    assert maps(net).shape == (len(FILM), *SIZE_HW)
    assert alone.maps.shape == (len(FILM), *SIZE_HW)


@pytest.mark.parametrize("cuts", [(), (1, 20, 43)])
def test_calm_windows_of_the_segmenter_are_skipped(net: Joint, cuts: tuple[int, ...]) -> None:
    net.settle(torch.randn(400) - 6, learnt=True)
    quiet = as_tensor(np.repeat(drawn([], 1), 30, axis=0)).float() / 255
    film, found = torch.cat([quiet, FILM, quiet]), []
    with torch.inference_mode():
        for skip_calm, pieces in ((False, ()), (True, cuts)):
            state, parts = None, []
            for piece in torch.tensor_split(film, pieces):
                part, state = net.measure(piece, state, skip_calm=skip_calm)
                parts.append(part)
            found.append(Measured(*(torch.cat(values) for values in zip(*parts, strict=True))))
    whole, spared = found
    torch.testing.assert_close(spared.maps, whole.maps, atol=1e-4, rtol=1e-4)
    assert spared.skipped.float().mean() > 0.4
    assert not spared.skipped[30:54].any()
