"""The most alike frame of the past."""

import pytest
import torch

from tests.training_frames import Frames
from tlae.models.most_alike import MostAlike


def remembering(frames: torch.Tensor, **settings: object) -> MostAlike:
    net = MostAlike(**settings)  # type: ignore[arg-type]
    net.keep(Frames(frames), torch.full(frames.shape[1:], 0.5), 0.25)
    return net


def standardised(frames: torch.Tensor) -> torch.Tensor:
    return (frames.float() / 255 - 0.5) / 0.25


def test_the_answer_is_the_frame_with_the_smallest_difference() -> None:
    frames = torch.randint(0, 255, (5, 3, 32, 48), dtype=torch.uint8)
    net = remembering(frames)
    seen = (frames[[3, 1]].int() + 5).clamp(0, 255)
    clip = standardised(seen).transpose(0, 1)[None]  # (1, C, T, H, W)
    expected = standardised(frames[[3, 1]]).transpose(0, 1)[None]
    torch.testing.assert_close(net(clip), expected)
    assert net.target(clip) is clip


def test_local_light_is_matched_and_a_small_thing_is_not() -> None:
    frame = torch.randint(80, 120, (1, 1, 48, 48), dtype=torch.uint8)
    seen = frame.float() * torch.linspace(0.7, 1.3, 48)  # darker to the left
    seen[..., 20:24, 20:24] += 80
    clip = standardised(seen)[:, :, None]
    plain, matched = (
        (remembering(frame, local_light=local)(clip) - clip).abs()[0, 0, 0]
        for local in (False, True)
    )
    assert matched[:, :8].mean() < 0.3 * plain[:, :8].mean()
    assert matched[20:24, 20:24].mean() > 5 * matched.mean()


def test_the_bank_is_saved_with_the_net() -> None:
    net = remembering(torch.randint(0, 255, (4, 1, 32, 32), dtype=torch.uint8))
    other = MostAlike()
    other.load_state_dict(net.state_dict())
    clip = torch.randn(1, 1, 2, 32, 32)
    torch.testing.assert_close(other(clip), net(clip))


def test_without_a_memory_the_mean_frame_is_expected() -> None:
    assert not MostAlike()(torch.randn(1, 1, 2, 16, 16)).any()


def test_a_box_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"light_fraction must be in \(0, 1\], got 0"):
        MostAlike(light_fraction=0)
