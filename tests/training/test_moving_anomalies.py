"""What is planted into normal clips, and what the mask says of it."""

import math

import pytest
import torch

from tests.small_footage import frame_image
from tlae.training import moving_anomalies
from tlae.training.moving_anomalies import (
    MovingRecipe,
    Planting,
    plant,
)
from tlae.training.recipe import Planted, constant_loss

WINDOW, STRIDE, FASTEST = 4, 2, 3
RECIPE = MovingRecipe(WINDOW, STRIDE, FASTEST)
LENGTH = RECIPE.span_frames
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


def planted_as(kind: str | None, seed: int = 0, mixed: float = 0.0) -> Planted:
    """Clips with nothing but this kind; nearly none where there is no kind."""
    shares = dict.fromkeys(("fast", "reversed", "pasted", "still"), 0.0)
    planting = Planting(
        **{**shares, kind or "fast": 1.0 if kind else 1e-9, "light": 0.0}, mixed=mixed
    )
    recipe = MovingRecipe(WINDOW, STRIDE, FASTEST, planting)
    return plant(spans(), recipe, EMPTY, torch.Generator().manual_seed(seed))


def normal() -> torch.Tensor:
    return RECIPE.normal_window(spans())


def test_normal_window_ends_with_the_span() -> None:
    span = torch.arange(LENGTH).float()[None, None, :, None, None]
    last = LENGTH - 1
    assert RECIPE.normal_window(span).flatten().tolist() == [
        last - 6,
        last - 4,
        last - 2,
        last,
    ]
    assert LENGTH == 3 * 2 * 3 + 1


def test_normal_clips_are_left_alone() -> None:
    clip, mask, _ = planted_as(None)
    torch.testing.assert_close(clip, normal())
    assert not mask.any()


def test_things_of_another_normal_moment_count_as_normal() -> None:
    clip, mask, _ = planted_as(None, mixed=1.0)
    assert not mask.any()
    changed = (clip - normal()).abs().flatten(1).amax(dim=1) > 0.1
    assert changed.float().mean() > 0.5


def test_what_plays_backwards_ends_where_the_window_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moving_anomalies, "WHOLE_FRAME", 1.0)
    clip, mask, _ = planted_as("reversed")
    torch.testing.assert_close(clip, normal().flip(2))
    assert mask.flatten(1).any(dim=1).all()


def test_what_stands_still_stands_where_it_walked() -> None:
    clip, mask, _ = planted_as("still")
    there = mask[:, None] > 0
    source = normal().roll(1, dims=0)[:, :, -1:].expand_as(clip)
    assert there.any()
    assert (clip - source).abs()[there].mean() < 0.1


def test_what_plays_fast_ends_at_the_same_frame_and_moves_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moving_anomalies, "WHOLE_FRAME", 1.0)
    clip, mask, _ = planted_as("fast")
    slow = normal()
    torch.testing.assert_close(clip[:, :, -1], slow[:, :, -1])
    assert (clip[:, :, -2] - clip[:, :, -1]).abs().sum() > (
        slow[:, :, -2] - slow[:, :, -1]
    ).abs().sum()
    assert mask.flatten(1).any(dim=1).all()
    changed = (clip[:, 0, -1] - clip[:, 0, -2]).abs() > 0.1
    there = (clip[:, 0] - EMPTY).abs() > 0.1
    assert mask[:, -1][changed & there[:, -1]].all()
    assert mask[~there].mean() < 0.1  # not where it has left


def test_pasted_things_are_where_the_mask_says() -> None:
    clip, mask, _ = planted_as("pasted")
    differs = (clip[:, 0] - normal()[:, 0]).abs() > 0.2
    assert mask.flatten(1).any(dim=1).any()
    assert differs[mask == 0].float().mean() < 0.02


def test_the_same_seed_plants_the_same() -> None:
    first = plant(spans(), RECIPE, EMPTY, torch.Generator().manual_seed(3))
    second = plant(spans(), RECIPE, EMPTY, torch.Generator().manual_seed(3))
    other = plant(spans(), RECIPE, EMPTY, torch.Generator().manual_seed(4))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.equal(first.clip, other.clip)
    assert first.clip.min() >= 0
    assert first.clip.max() <= 1


@pytest.mark.parametrize(
    "shares", [{"fast": -0.1}, {"fast": 1.1}, {"fast": 0.8, "pasted": 0.3}, {"mixed": float("nan")}]
)
def test_shares_that_do_not_add_up_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"training\.planted"):
        Planting(**shares)


def test_constant_loss_is_the_least_that_a_constant_can_reach() -> None:
    share, weight = 0.1, 3.0
    tried = [
        -(weight * share * math.log(q) + (1 - share) * math.log(1 - q))
        for q in [n / 1000 for n in range(1, 1000)]
    ]
    assert constant_loss(share, weight) == pytest.approx(min(tried), abs=1e-5)
    assert constant_loss(0.0, weight) == pytest.approx(0, abs=1e-6)
