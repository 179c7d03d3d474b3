"""Stills compared with other days and the last hours: what is new, where, why, piece by piece."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.models.packaged_net import net_in_package
from tests.patches.drawn_site import A_DAY, as_frames, drawn, footage_of
from tlae.errors import FootageError
from tlae.models.contract import Measured
from tlae.models.patch_memory import PatchMemory
from tlae.patches.evidence import channels
from tlae.patches.features import PLANES
from tlae.patches.learnt_planes import LEARNT
from tlae.patches.measurer import JUDGED

NOON = A_DAY // 2
PLACE = 24, 40


@pytest.fixture(scope="module")
def net() -> PatchMemory:
    torch.manual_seed(0)
    learnt = PatchMemory(memory_frames=64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tlae.models.patch_memory.MOST_ROUNDS", 2)
        learnt.keep(footage_of(drawn(2 * A_DAY, seed=1)), torch.zeros(0), 1.0)
    return learnt.eval()


def measured(net: PatchMemory, frames: Tensor, cuts: tuple[int, ...] = ()) -> Measured:
    state, parts = None, []
    for piece in torch.tensor_split(frames, cuts):
        part, state = net.measure(piece, state)
        parts.append(part)
    return Measured(*(torch.cat(values) for values in zip(*parts, strict=True)))


def highest(answer: Measured) -> Tensor:
    return answer.maps.flatten(1).amax(dim=1)


def test_what_is_new_stands_out_where_it_is(net: PatchMemory) -> None:
    stills = as_frames(drawn(A_DAY, seed=7, things={NOON: PLACE}))
    answer = measured(net, stills)
    level = highest(answer)
    others = torch.cat([level[:NOON], level[NOON + 1 :]])
    assert level[NOON] > 2 * others.max()
    row, column = divmod(int(answer.maps[NOON].argmax()), answer.maps.shape[2])
    assert PLACE[0] <= row < PLACE[0] + 8
    assert PLACE[1] <= column < PLACE[1] + 8


def test_what_stays_is_new_for_three_quarters_of_an_hour(net: PatchMemory) -> None:
    stays = dict.fromkeys(range(NOON, NOON + 12), PLACE)
    level = highest(measured(net, as_frames(drawn(A_DAY, seed=7, things=stays))))
    assert level[NOON : NOON + 3].min() > 2 * level[NOON + 6 : NOON + 12].max()


def test_a_still_alone_is_judged_by_other_days(net: PatchMemory) -> None:
    stills = as_frames(drawn(NOON + 2, seed=7, things={NOON: PLACE}))
    level = highest(measured(net, stills[NOON:]))
    assert level[0] > 2 * level[1]


def test_the_reason_says_how_much(net: PatchMemory) -> None:
    answer = measured(net, as_frames(drawn(A_DAY, seed=7, things={NOON: PLACE})))
    place = (PLACE[0] + 4) / 48, (PLACE[1] + 4) / 64
    said = net.reason(answer.evidence[NOON], place).words
    assert re.fullmatch(
        r"differs from other days by \d+\.\d times the median difference at this place", said
    )


@pytest.mark.parametrize("cuts", [(1,), (7, 30), tuple(range(1, 40))])
def test_piece_by_piece_is_what_the_whole_is(net: PatchMemory, cuts: tuple[int, ...]) -> None:
    frames = as_frames(drawn(40, seed=8, things={30: PLACE}))
    for one, other in zip(measured(net, frames), measured(net, frames, cuts), strict=True):
        torch.testing.assert_close(one, other)


def test_a_copy_of_its_state_answers_the_same(net: PatchMemory) -> None:
    frames = as_frames(drawn(4, seed=9))
    other = PatchMemory(memory_frames=64)
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(measured(other, frames).maps, measured(net, frames).maps)


def test_what_a_net_has_learnt_to_see_stands_beside_the_other_planes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net_in_package(tmp_path, monkeypatch)
    net = PatchMemory(memory_frames=24, pretrained=True)
    net.keep(footage_of(drawn(30, seed=1)), NOTHING, 1.0)
    assert net.remembered.shape == (24, 8, 12, 16)
    assert net.learnt.shape == (24, LEARNT, 6, 8)
    frames = as_frames(drawn(4, seed=9))
    other = PatchMemory(memory_frames=24, pretrained=True)
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(measured(other, frames).maps, measured(net, frames).maps)
    measurer = net.measurer()
    assert measurer is not None
    seen, _ = measurer.see(drawn(1), ())
    assert seen.inputs[JUDGED].shape[1] == channels(PLANES + LEARNT)


def test_a_model_of_before_there_was_such_a_net_is_read(net: PatchMemory) -> None:
    before = net.state_dict()
    for name in ("weights", "axes", "learnt"):
        del before[name]
    PatchMemory(memory_frames=64).load_state_dict(before)


def test_places_that_are_ignored_do_not_even_out_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tlae.models.patch_memory.MOST_ROUNDS", 1)
    stills = drawn(A_DAY, seed=1)
    footage = footage_of(stills)
    watched = torch.ones(48, 64, dtype=torch.bool)
    watched[:, 32:] = False
    net = PatchMemory(memory_frames=32)
    net.keep(type(footage)(footage.all_of_them, interval_s=900.0, watched=watched), NOTHING, 1.0)
    assert 0 < net.watched.float().mean() < 0.6


def test_a_net_without_footage_answers_nothing() -> None:
    answer, _ = PatchMemory().measure(torch.rand(2, 3, 48, 64), None)
    assert not answer.maps.any()


def test_a_grey_camera_is_learnt_too() -> None:
    grey = np.ascontiguousarray(drawn(30, seed=1).mean(axis=3, keepdims=True).astype(np.uint8))
    net = PatchMemory(memory_frames=24)
    net.keep(footage_of(grey), NOTHING, 1.0)
    assert measured(net, as_frames(grey[:3])).maps.isfinite().all()


def test_too_little_footage_is_refused() -> None:
    with pytest.raises(FootageError, match="at least 24 frames"):
        PatchMemory().keep(footage_of(drawn(10)), NOTHING, 1.0)


@pytest.mark.parametrize(
    ("name", "value"), [("memory_frames", 1), ("learnt_frames", 1), ("past_h", 0.0)]
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"model.{name}"):
        PatchMemory(**{name: value})


NOTHING = torch.zeros(0)
