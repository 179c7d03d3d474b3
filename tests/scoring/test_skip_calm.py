"""Sparing the net where nothing happens: the same scores, and the table knows."""

import numpy as np
import pytest
import torch

from tests.small_footage import frame_image, small_model
from tlae.footage.frames import Image
from tlae.footage.preprocess import Preprocessing
from tlae.models.standardised import Standardised
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scored_frames import Scored
from tlae.scoring.scorer import FrameScorer

CPU = torch.device("cpu")
PARTS = ("maps", "instant", "peak", "rebuilt", "skipped")


def quiet_film() -> Image:
    """40 frames that are alike, but for a thing in frames 20 to 22."""
    frames = [Preprocessing((32, 32))(frame_image(0))] * 40
    frames[20:23] = [Preprocessing((32, 32))(frame_image(n, odd=True)) for n in (3, 4, 5)]
    return np.stack(frames)


def scored(
    name: str,
    sizes: list[int],
    *,
    causal: bool = True,
    skip_calm: bool = True,
    resumed: bool = False,
) -> Scored:
    rule = ScoringRule(causal=causal, kernel_frames=3, match_light=False)
    model = small_model(name, rule=rule)

    def scorer() -> FrameScorer:
        return FrameScorer(model.detector, rule, CPU, keep_rebuilt=True, skip_calm=skip_calm)

    one, parts, start = scorer(), [], 0
    for size in sizes:
        parts.append(one.push(quiet_film()[start : start + size]))
        start += size
        if resumed:
            state, one = one.state(), scorer()
            one.restore(state)
    parts.append(one.finish())
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in PARTS]
    none = np.zeros(len(columns[0]))
    return Scored(*columns[:4], none, none, columns[4])  # type: ignore[arg-type]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", ["cae", "stae", "predictor", "segmenter"])
def test_frames_that_are_alike_get_the_scores_they_would_get(name: str, *, causal: bool) -> None:
    whole = scored(name, [40], causal=causal, skip_calm=False)
    spared = scored(name, [40], causal=causal)
    assert not whole.skipped.any()
    assert spared.skipped.mean() > 0.5
    assert not spared.skipped[20:23].any()
    for part in ("maps", "instant", "rebuilt"):
        one, other = getattr(whole, part), getattr(spared, part)
        np.testing.assert_allclose(one.astype(float), other.astype(float), atol=1e-5)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("sizes", [[1] * 40, [7, 16, 17], [25, 15]])
def test_neither_batches_nor_resuming_change_what_is_skipped(
    sizes: list[int], *, causal: bool
) -> None:
    whole = scored("segmenter", [40], causal=causal)
    for resumed in (False, True):
        other = scored("segmenter", sizes, causal=causal, resumed=resumed)
        np.testing.assert_array_equal(whole.skipped, other.skipped)
        np.testing.assert_allclose(whole.maps, other.maps, atol=1e-5)


def test_the_net_is_not_asked_where_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    forward = Standardised.forward

    def counting(net: Standardised, clip: torch.Tensor) -> torch.Tensor:
        asked.append(len(clip))
        return forward(net, clip)

    monkeypatch.setattr(Standardised, "forward", counting)
    spared = scored("cae", [8] * 5)
    assert sum(asked) == int((~spared.skipped).sum()) < 20


def test_a_net_that_carries_a_state_sees_every_frame() -> None:
    assert not scored("convlstm", [40]).skipped.any()


def test_a_state_of_before_frames_were_skipped_is_taken_on() -> None:
    rule = ScoringRule(causal=False, kernel_frames=3, match_light=False)
    model, film = small_model("segmenter", rule=rule), quiet_film()
    before, after = (FrameScorer(model.detector, rule, CPU) for _ in range(2))
    first = before.push(film[:20])
    state = {name: part for name, part in before.state().items() if name != "skipped"}
    after.restore(state)
    parts = [after.push(film[20:]), after.finish()]
    assert len(first.instant) + sum(len(part.instant) for part in parts) == len(film)
    assert all(len(part.skipped) == len(part.instant) for part in parts)


def test_a_restored_scorer_forgets_what_it_found_calm() -> None:
    rule = ScoringRule(match_light=False)
    model, film = small_model("cae", rule=rule), quiet_film()
    plain = FrameScorer(model.detector, rule, CPU)
    plain.push(film[:10])
    used = FrameScorer(model.detector, rule, CPU, skip_calm=True)
    used.push(film[:10])
    used.restore(plain.state())
    assert not used.push(film[10:11]).skipped[0]
