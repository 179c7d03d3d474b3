"""Nets without weights: what they answer, and that they go on from where they were."""

import pytest
import torch

from tlae.models.untrained import CopyLast, RunningMedian


@pytest.mark.parametrize("net", [CopyLast(), RunningMedian()], ids=["copy_last", "running_median"])
def test_piece_by_piece_gives_what_the_whole_clip_gives(net: CopyLast | RunningMedian) -> None:
    clip = torch.rand(1, 1, 9, 4, 5)
    whole, _ = net.carry(clip, None)
    first, state = net.carry(clip[:, :, :4], None)
    second, _ = net.carry(clip[:, :, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=2), whole)
    assert net(clip).shape == net.target(clip).shape


def test_copy_last_answers_with_the_frame_before() -> None:
    clip = torch.arange(5.0).reshape(1, 1, 5, 1, 1)
    assert CopyLast().carry(clip, None)[0].flatten().tolist() == [0, 0, 1, 2, 3]
    assert CopyLast()(clip).flatten().tolist() == [0, 1, 2, 3]
    assert CopyLast().target(clip).flatten().tolist() == [1, 2, 3, 4]


def test_running_median_forgets_what_is_rare_and_takes_in_what_stays() -> None:
    clip = torch.zeros(1, 1, 100, 1, 2)
    clip[0, 0, 50] = 1.0  # both places flash once
    clip[0, 0, 60:, 0, 1] = 1.0  # one then stays bright
    answer = RunningMedian(step=0.05).carry(clip, None)[0][0, 0, -1, 0]
    assert answer[0].abs() <= 0.051
    assert answer[1] > 0.94


def test_running_median_refuses_a_step_that_never_moves() -> None:
    with pytest.raises(ValueError, match=r"model\.step must be > 0, got 0"):
        RunningMedian(step=0)
