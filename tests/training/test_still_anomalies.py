"""What is drawn into normal stills, and what the mask says of it."""

import pytest
import torch

from tlae.training import still_anomalies
from tlae.training.recipe import Planted
from tlae.training.still_anomalies import StillRecipe

SIZE_HW = (48, 64)


def spans(count: int = 6, frames: int = 3) -> torch.Tensor:
    """A grey scene with a gradient, each clip in a light of its own."""
    ground = torch.linspace(0.3, 0.6, SIZE_HW[1]).expand(3, frames, *SIZE_HW)
    return torch.stack([ground * (0.7 + 0.05 * number) for number in range(count)])


def planted(monkeypatch: pytest.MonkeyPatch, seed: int = 0, **shares: float) -> Planted:
    """Things alone, unless shares of what is normal are given."""
    for name in ("RELIT", "SHAKEN", "AS_AT_OTHER_TIMES", "SHADOWED", "FROM_ELSEWHERE"):
        monkeypatch.setattr(still_anomalies, name, shares.get(name, 0.0))
    recipe = StillRecipe(3, 1, shares.get("share", 1.0))
    generator = torch.Generator().manual_seed(seed)
    return recipe.plant(spans(), spans()[0, :, 0], generator)


def test_what_is_marked_differs_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, mask, _ = planted(monkeypatch)
    change = (clip - spans()).abs().amax(dim=1)  # (B, T, H, W)
    assert change[mask > 0].min() > 0.01
    near = torch.nn.functional.max_pool2d(mask, 5, 1, 2)  # edges are soft
    assert (change[near == 0] > 0.05).float().mean() < 1e-3  # but for the smallest things


def test_things_stand_in_several_patterns_of_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = set()
    for seed in range(6):
        _, mask, _ = planted(monkeypatch, seed)
        shown |= {tuple(there) for there in (mask.flatten(2).amax(dim=2) > 0).tolist()}
    assert (True, True, True) in shown
    assert len(shown) >= 3


def test_without_things_nothing_is_marked_whatever_else_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    normal = {"RELIT": 1.0, "SHAKEN": 1.0, "AS_AT_OTHER_TIMES": 1.0}
    clip, mask, _ = planted(monkeypatch, share=0.0, **normal)
    assert mask.max() == 0
    assert (clip - spans()).abs().max() > 0.01


def test_the_same_seed_draws_the_same_things(monkeypatch: pytest.MonkeyPatch) -> None:
    first, again, other = (planted(monkeypatch, seed).clip for seed in (1, 1, 2))
    assert first.equal(again)
    assert not first.equal(other)


def test_things_are_seen_at_night_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.spans", lambda: torch.full((6, 3, 3, *SIZE_HW), 0.1))
    clip, mask, _ = planted(monkeypatch)
    inside = (clip - 0.1).abs().amax(dim=1)[mask > 0]
    assert inside.mean() > 0.02


def test_window_is_cut_from_the_span() -> None:
    recipe = StillRecipe(3, 2)
    assert recipe.span_frames == 5
    span = torch.arange(5.0)[None, None, :, None, None]
    assert recipe.normal_window(span).flatten().tolist() == [0, 2, 4]
