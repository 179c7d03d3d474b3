"""What is planted into normal clips, and what the mask says of it."""

import math

import pytest
import torch

from tests.small_footage import frame_image
from tlae.training import pseudo_anomalies
from tlae.training.pseudo_anomalies import (
    FAST,
    NORMAL,
    PASTED,
    SEAM,
    Playing,
    constant_loss,
    plant,
    span_frames,
    usual_window,
)

WINDOW, STRIDE, FASTEST = 4, 2, 3
LENGTH = span_frames(WINDOW, STRIDE, FASTEST)
PLAYING = Playing(WINDOW, STRIDE, FASTEST)
STREET = torch.from_numpy(frame_image(0)[:1, :, :1]).permute(2, 0, 1) / 255  # a row without walker
EMPTY = STREET.expand(1, 32, 32)


def spans(count: int = 6) -> torch.Tensor:
    """Normal footage: a square that walks, each clip from another moment."""
    clips = [
        [torch.from_numpy(frame_image(7 * clip + number)[..., :1]) for number in range(LENGTH)]
        for clip in range(count)
    ]
    frames = torch.stack([torch.stack(clip) for clip in clips])  # (B, L, H, W, C)
    return frames.permute(0, 4, 1, 2, 3).float() / 255


def planted_as(kind: int, monkeypatch: pytest.MonkeyPatch, seed: int = 0):  # type: ignore[no-untyped-def]
    shares = torch.zeros(4)
    shares[kind] = 1
    monkeypatch.setattr(pseudo_anomalies, "KINDS", shares)
    monkeypatch.setattr(pseudo_anomalies, "LIGHT", 0.0)
    return plant(spans(), PLAYING, EMPTY, torch.Generator().manual_seed(seed))


def test_usual_window_ends_with_the_span() -> None:
    span = torch.arange(LENGTH).float()[None, None, :, None, None]
    last = LENGTH - 1
    assert usual_window(span, WINDOW, STRIDE).flatten().tolist() == [
        last - 6,
        last - 4,
        last - 2,
        last,
    ]
    assert LENGTH == 3 * 2 * 3 + 1


def test_normal_clips_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, mask = planted_as(NORMAL, monkeypatch)
    torch.testing.assert_close(clip, usual_window(spans(), WINDOW, STRIDE))
    assert not mask.any()


def test_seams_count_as_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, mask = planted_as(SEAM, monkeypatch)
    assert not mask.any()
    assert not torch.equal(clip, usual_window(spans(), WINDOW, STRIDE))


def test_what_plays_fast_ends_at_the_same_frame_and_moves_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pseudo_anomalies, "WHOLE_FRAME", 1.0)
    clip, mask = planted_as(FAST, monkeypatch)
    usual = usual_window(spans(), WINDOW, STRIDE)
    torch.testing.assert_close(clip[:, :, -1], usual[:, :, -1])
    assert (clip[:, :, 0] - clip[:, :, -1]).abs().sum() > (
        usual[:, :, 0] - usual[:, :, -1]
    ).abs().sum()
    assert mask.flatten(1).any(dim=1).all()
    assert mask.mean() < 0.6  # only where something moves
    still = mask[:, 0] == 0
    change = (clip[:, 0, -1] - clip[:, 0, -2]).abs()
    assert change[still].max() < 0.1


def test_pasted_things_are_where_the_mask_says(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, mask = planted_as(PASTED, monkeypatch)
    usual = usual_window(spans(), WINDOW, STRIDE)
    differs = (clip[:, :, -1] - usual[:, :, -1]).abs() > 0.2
    assert mask.flatten(1).any(dim=1).any()
    assert differs[mask == 0].float().mean() < 0.02


def test_the_same_seed_plants_the_same() -> None:
    first = plant(spans(), PLAYING, EMPTY, torch.Generator().manual_seed(3))
    second = plant(spans(), PLAYING, EMPTY, torch.Generator().manual_seed(3))
    other = plant(spans(), PLAYING, EMPTY, torch.Generator().manual_seed(4))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.equal(first.clip, other.clip)
    assert first.clip.min() >= 0
    assert first.clip.max() <= 1


def test_constant_loss_is_the_least_that_a_constant_can_reach() -> None:
    share, weight = 0.1, 3.0
    tried = [
        -(weight * share * math.log(q) + (1 - share) * math.log(1 - q))
        for q in [n / 1000 for n in range(1, 1000)]
    ]
    assert constant_loss(share, weight) == pytest.approx(min(tried), abs=1e-5)
    assert constant_loss(0.0, weight) == pytest.approx(0, abs=1e-6)
