"""A judge is taught by cells or by things: a small thing counts little or much."""

import pytest
import torch

from tlae.patches.evidence import channels
from tlae.patches.features import PLANES
from tlae.patches.judge import EVERY_CELL, EVERY_THING, Marks, PatchJudge, fit_judge

STILLS, SIDE = 128, 8


def share_marked(marks: Marks, monkeypatch: pytest.MonkeyPatch) -> float:
    """How surely a judge calls a cell a thing, where one of four that look so is one."""
    monkeypatch.setattr("tlae.patches.judge.LEARNING_RATE", 2e-2)
    torch.manual_seed(0)
    evidence = torch.zeros(STILLS, channels(PLANES), SIDE, SIDE)
    things = torch.zeros(STILLS, SIDE, SIDE)
    evidence[:, :3, 3, 3] = 1.0
    things[::4, 3, 3] = 1.0
    judge = PatchJudge(PLANES)
    fit_judge(judge, evidence, things, marks, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return float(judge(evidence[:1]).sigmoid()[0, 3, 3])


def test_by_cells_a_small_thing_is_as_sure_as_it_is_frequent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert share_marked(EVERY_CELL, monkeypatch) < 0.5


def test_by_things_a_small_one_counts_as_much_as_a_large_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert share_marked(EVERY_THING, monkeypatch) > 0.7


def test_a_fitted_judge_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = PatchJudge(PLANES)
    evidence, things = torch.rand(16, channels(PLANES), SIDE, SIDE), torch.zeros(16, SIDE, SIDE)
    monkeypatch.setattr("tlae.patches.judge.EPOCHS", 1)
    fit_judge(judge, evidence, things, EVERY_THING, torch.Generator().manual_seed(0))
    assert not any(weight.requires_grad for weight in judge.parameters())
