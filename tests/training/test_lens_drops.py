"""Drops on the lens are drawn into stills, and are no things."""

import torch

from tlae.training.lens_drops import under_drops


def some(count: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    noise = torch.rand(count, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    return noise, torch.ones(count, 48, 64)


def test_some_stills_are_blurred_in_places_and_nothing_is_marked_there() -> None:
    stills, things = some()
    wet, seen = under_drops(stills, things, torch.Generator().manual_seed(0))
    changed = (wet != stills).any(1)
    touched = changed.flatten(1).any(1)
    assert 0.1 < touched.float().mean() < 0.6
    assert bool((seen == 0).any())
    assert bool(changed[seen == 0].all())
    hidden = seen == 0
    assert wet.mean(1)[hidden].std() < 0.7 * stills.mean(1)[hidden].std()
    assert 0 <= wet.min() <= wet.max() <= 1


def test_the_same_chance_gives_the_same_drops_and_leaves_what_was_given() -> None:
    stills, things = some(8)
    before = stills.clone()
    first = under_drops(stills, things, torch.Generator().manual_seed(3))
    second = under_drops(stills, things, torch.Generator().manual_seed(3))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert torch.equal(stills, before)


def test_grey_stills_stay_grey() -> None:
    stills, things = some()
    wet, _ = under_drops(stills[:, :1], things, torch.Generator().manual_seed(0))
    assert wet.shape == (40, 1, 48, 64)
