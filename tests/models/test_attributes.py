"""The attributes as a net: what stands out and why, piece by piece as in one, from a file."""

import pickle

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.attributes.drawn_street import (
    Walker,
    as_tensor,
    drawn,
    frames_of,
    normal_street,
)
from tlae.attributes.measurer import AttributeMeasurer
from tlae.attributes.reasons import NAMES, VALUES
from tlae.errors import FootageError, ModelFileError
from tlae.models.attributes import Attributes
from tlae.models.contract import Measured

FRAMES = 60
ODD = {
    "is": Walker(10, 70, 1.5, tall=48, wide=40),
    "moves": Walker(-60, 64, 7.0),
    "has stood here": Walker(40, 64, 1.5, stops_at=5),
}


@pytest.fixture(scope="module")
def net() -> Attributes:
    learnt = Attributes(exemplars=2000, memory_s=0)
    learnt.keep(frames_of(normal_street()), torch.zeros(0), 1.0)
    return learnt.eval()


def measured(
    net: Attributes, pictures: np.ndarray, cuts: tuple[int, ...] = (), *, skip_calm: bool = False
) -> Measured:
    frames, state, parts = as_tensor(pictures).float() / 255, None, []
    for piece in torch.tensor_split(frames, cuts):
        part, state = net.measure(piece, state, skip_calm=skip_calm)
        parts.append(part)
    return Measured(*(torch.cat(values) for values in zip(*parts, strict=True)))


def reason_at(net: Attributes, answer: Measured, frame: int) -> str:
    place = np.unravel_index(int(answer.maps[frame].argmax()), answer.maps.shape[1:])
    height, width = answer.maps.shape[1:]
    return net.reason(answer.evidence[frame], (place[0] / height, place[1] / width)).words


def test_footage_in_which_everything_moves_is_named(caplog: pytest.LogCaptureFixture) -> None:
    generator = np.random.default_rng(0)
    leaves = generator.integers(0, 255, (30, 6, 9, 3), np.uint8)
    leaves[generator.random(leaves.shape[:3]) > 0.4] = 100
    restless = leaves.repeat(16, axis=1).repeat(16, axis=2)
    Attributes(exemplars=200).keep(frames_of(restless), torch.zeros(0), 1.0)
    assert "of the picture differs from the background" in caplog.text
    caplog.clear()
    Attributes(exemplars=200).keep(frames_of(normal_street(40)), torch.zeros(0), 1.0)
    assert not caplog.text


def test_short_runs_are_named(caplog: pytest.LogCaptureFixture) -> None:
    Attributes(exemplars=200).keep(frames_of(normal_street(30)), torch.zeros(0), 1.0)
    assert "the longest run without a gap lasts 3.0 s" in caplog.text
    caplog.clear()
    Attributes(exemplars=200).keep(frames_of(normal_street(60)), torch.zeros(0), 1.0)
    assert "the longest run" not in caplog.text


def highest(maps: Tensor) -> Tensor:
    return maps.flatten(1).amax(dim=1)


@pytest.mark.parametrize("why", ODD)
def test_odd_things_stand_out_and_the_reason_is_given(net: Attributes, why: str) -> None:
    usual = highest(measured(net, drawn([Walker(10, 64, 1.5)], FRAMES, seed=7)).maps)
    answer = measured(net, drawn([ODD[why]], FRAMES, seed=7))
    maps = highest(answer.maps)
    assert maps.max() > 2 * usual.max()
    said = reason_at(net, answer, int(maps.argmax()))
    assert said.startswith(why), said


@pytest.mark.parametrize("steps", [1, 3])
def test_a_thing_that_has_left_its_place_is_not_called_still(net: Attributes, steps: int) -> None:
    frame = drawn([Walker(10, 64, 1.5)], 2, seed=7)
    evidence = torch.zeros_like(measured(net, frame).evidence[0])
    row, column = 6, 8
    evidence[NAMES.index("velocity"), row, column] = 5.0  # of the frames before
    evidence[NAMES.index("velocity"), row, column + steps] = 4.0
    for name in ("vx", "speed"):
        evidence[len(NAMES) + VALUES.index(name), row, column + steps] = 12.0
    height, width = evidence.shape[1:]
    said = net.reason(evidence, ((row + 0.5) / height, (column + 0.5) / width)).words
    assert "times as fast" in said, said


def test_the_map_marks_the_thing(net: Attributes) -> None:
    answer = measured(net, drawn([Walker(20, 64, 1.5), Walker(-60, 72, 6.0)], 30, seed=7))
    frame = 20  # the fast one is at 60
    row, column = divmod(int(answer.maps[frame].argmax()), answer.maps.shape[2])
    assert 54 - 10 <= row <= 72 + 10
    assert 60 - 12 <= column <= 70 + 12


@pytest.mark.parametrize("cuts", [(1,), (7, 30), tuple(range(1, 40))])
def test_piece_by_piece_is_what_the_whole_is(net: Attributes, cuts: tuple[int, ...]) -> None:
    film = drawn([ODD["moves"], Walker(0, 60, 1.0)], 40, seed=8)
    for one, other in zip(measured(net, film), measured(net, film, cuts), strict=True):
        torch.testing.assert_close(one, other)


def test_a_renewed_background_is_carried_on() -> None:
    net = Attributes(exemplars=2000, memory_s=8.0)  # a sample every 3 frames
    net.keep(frames_of(normal_street()), torch.zeros(0), 1.0)
    film = drawn([Walker(40, 64, 0.0)], 60, seed=8)
    torch.testing.assert_close(measured(net, film).maps, measured(net, film, (31, 45)).maps)
    assert highest(measured(net, film).maps)[-1] == 0


def test_a_copy_of_its_state_answers_the_same(net: Attributes) -> None:
    film = drawn([ODD["is"]], 10, seed=9)
    before = measured(net, film).maps
    other = Attributes(exemplars=2000, memory_s=0)
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(measured(other, film).maps, before)
    torch.testing.assert_close(measured(pickle.loads(pickle.dumps(net)), film).maps, before)


def test_a_model_of_an_earlier_version_is_refused(net: Attributes) -> None:
    """Its exemplars were measured with another motion."""
    before = {name: part for name, part in net.state_dict().items() if name != "normal_halves"}
    with pytest.raises(ModelFileError, match="train it again"):
        Attributes(exemplars=2000, memory_s=0).load_state_dict(before)
    with pytest.raises(ModelFileError, match="train it again"):
        AttributeMeasurer({name: part.numpy() for name, part in before.items()})


def test_the_model_stays_small(net: Attributes) -> None:
    assert sum(part.nbytes for part in net.state_dict().values()) < 10e6


def test_footage_that_shows_no_motion_is_refused() -> None:
    with pytest.raises(FootageError, match="patch_memory"):
        Attributes().keep(frames_of(normal_street(20), interval_s=900.0), torch.zeros(0), 1.0)


def test_footage_in_which_nothing_moves_is_refused() -> None:
    with pytest.raises(FootageError, match="things that move"):
        Attributes().keep(frames_of(drawn([], 40)), torch.zeros(0), 1.0)


@pytest.mark.parametrize(
    ("name", "value"), [("exemplars", 10), ("most_frames", 1), ("memory_s", -1.0)]
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"model.{name}"):
        Attributes(**{name: value})


@pytest.mark.parametrize("cuts", [(), (1, 30, 61)])
def test_a_calm_frame_is_skipped_and_gets_what_it_would_get(
    net: Attributes, cuts: tuple[int, ...]
) -> None:
    film = np.concatenate([drawn([], 40, seed=5), drawn([Walker(0, 64, 4.0)], 20), drawn([], 30)])
    whole, spared = measured(net, film), measured(net, film, cuts, skip_calm=True)
    torch.testing.assert_close(spared.maps, whole.maps, atol=0, rtol=0)
    torch.testing.assert_close(spared.evidence, whole.evidence, atol=0, rtol=0)
    assert not whole.skipped.any()
    assert spared.skipped[1:40].float().mean() > 0.9
    assert not spared.skipped[40:60].any()
    assert spared.skipped[62:].float().mean() > 0.9


def test_a_state_of_before_calm_frames_were_skipped_is_taken_on(net: Attributes) -> None:
    film = as_tensor(drawn([Walker(0, 64, 2.0)], 30)).float() / 255
    _, state = net.measure(film[:15], None)
    numbers, *others = state
    whole, _ = net.measure(film[15:], state)
    before, _ = net.measure(film[15:], (numbers, *others[:4], *others[5:]), skip_calm=True)
    torch.testing.assert_close(before.maps, whole.maps)
