"""Offline equals live, whatever the batch; one map per frame; resuming changes nothing."""

import numpy as np
import pytest
import torch

from tests.small_footage import NETS, frame_image, small_model
from tlae.footage.preprocess import Preprocessing
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scored_frames import Scored
from tlae.scoring.scorer import FrameScorer

CPU = torch.device("cpu")
FRAMES = np.stack([Preprocessing((32, 32))(frame_image(n, odd=n == 7)) for n in range(13)])


def score(
    name: str, batches: list[int], *, causal: bool = True, stride: int = 1, kernel_frames: int = 1
) -> Scored:
    rule = ScoringRule(causal=causal, kernel_frames=kernel_frames, match_light=False)
    scorer = FrameScorer(
        small_model(name, stride=stride, rule=rule).detector, rule, CPU, keep_rebuilt=True
    )
    parts = []
    start = 0
    for size in batches:
        parts.append(scorer.push(FRAMES[start : start + size]))
        start += size
    parts.append(scorer.finish())
    return joined(parts)


def joined(parts: list[Scored]) -> Scored:
    return Scored(
        *(
            np.concatenate([getattr(p, f) for p in parts])
            for f in ("maps", "instant", "peak", "rebuilt", "reason", "example", "skipped")
        )
    )


def assert_same(one: Scored, other: Scored, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(one.maps, other.maps, atol=tolerance)
    np.testing.assert_allclose(one.instant, other.instant, atol=tolerance)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel_frames", [1, 4, 5])
def test_live_equals_offline(name: str, causal: bool, stride: int, kernel_frames: int) -> None:
    live = score(name, [1] * 13, causal=causal, stride=stride, kernel_frames=kernel_frames)
    for batches in ([13], [5, 8], [2, 1, 10]):
        offline = score(name, batches, causal=causal, stride=stride, kernel_frames=kernel_frames)
        assert offline.instant.shape == (13,)
        assert_same(live, offline)


@pytest.mark.parametrize("name", NETS)
def test_causal_scores_do_not_see_the_future(name: str) -> None:
    rule = ScoringRule(kernel_frames=3, match_light=False)
    scorer = FrameScorer(small_model(name).detector, rule, CPU)
    alone = scorer.push(FRAMES[:6])
    scorer.reset()
    with_more = scorer.push(FRAMES)
    np.testing.assert_allclose(alone.instant, with_more.instant[:6], atol=1e-5)


@pytest.mark.parametrize("name", NETS)
def test_a_run_shorter_than_the_window_has_scores_unless_the_net_judges(name: str) -> None:
    for causal in (True, False):
        rule = ScoringRule(causal=causal, kernel_frames=9, match_light=False)
        scorer = FrameScorer(small_model(name, window_frames=4, rule=rule).detector, rule, CPU)
        parts = [scorer.push(FRAMES[:2]), scorer.finish()]
        assert len(joined(parts).instant) == 2
        blank = np.isnan(joined(parts).instant)
        assert blank.all() if "segmenter" in name else not blank.any()


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kernel_frames", [1, 5])
def test_a_restored_scorer_goes_on_exactly(name: str, causal: bool, kernel_frames: int) -> None:
    rule = ScoringRule(causal=causal, kernel_frames=kernel_frames, match_light=False)
    scorer = FrameScorer(small_model(name, rule=rule).detector, rule, CPU)
    head = scorer.push(FRAMES[:6])
    state = scorer.state()
    tail = joined([scorer.push(FRAMES[6:]), scorer.finish()])
    other = FrameScorer(small_model(name, rule=rule).detector, rule, CPU)
    other.restore(state)
    again = joined([other.push(FRAMES[6:]), other.finish()])
    np.testing.assert_array_equal(tail.maps, again.maps)
    assert len(head.instant) + len(tail.instant) == 13


def test_a_run_does_not_remember_the_one_before() -> None:
    scorer = FrameScorer(small_model("convlstm").detector, ScoringRule(match_light=False), CPU)
    first = scorer.push(FRAMES[:5]).instant
    scorer.push(FRAMES[5:])
    scorer.finish()
    np.testing.assert_array_equal(scorer.push(FRAMES[:5]).instant, first)


def naive_centred(model_name: str) -> np.ndarray:
    """Error of each frame averaged over every window that holds it, ends repeated."""
    model = small_model(model_name)
    clip = torch.from_numpy(FRAMES[..., 0]).float() / 255
    padded = torch.cat([clip[:1].repeat(3, 1, 1), clip, clip[-1:].repeat(3, 1, 1)])
    errors: list[list[torch.Tensor]] = [[] for _ in range(len(padded))]
    for start in range(len(padded) - 3):
        window = padded[start : start + 4][None, None]
        with torch.no_grad():
            error = (model.detector.net(window) - window).abs()[0, 0]
        for place in range(4):
            errors[start + place].append(error[place])
    return torch.stack([torch.stack(e).mean(0) for e in errors[3:-3]]).numpy()


def test_centred_maps_average_all_windows_of_a_frame() -> None:
    rule = ScoringRule(causal=False, kernel_px=1, match_light=False)
    scorer = FrameScorer(small_model("stae", rule=rule).detector, rule, CPU)
    maps = joined([scorer.push(FRAMES[:4]), scorer.push(FRAMES[4:]), scorer.finish()]).maps
    np.testing.assert_allclose(maps, naive_centred("stae"), atol=1e-5)


def test_a_kernel_in_time_averages_neighbouring_maps() -> None:
    plain = score("cae", [13], causal=False)
    line = np.pad(plain.maps, ((2, 2), (0, 0), (0, 0)), mode="edge")
    expected = np.stack([line[start : start + 5].mean(axis=0) for start in range(13)])
    averaged = score("cae", [3, 10], causal=False, kernel_frames=5)
    np.testing.assert_allclose(averaged.maps, expected, atol=1e-6)
    np.testing.assert_array_equal(averaged.rebuilt, plain.rebuilt)


def test_causal_maps_do_not_lag() -> None:
    assert_same(score("cae", [13], kernel_frames=5), score("cae", [13]), tolerance=0)


def test_peak_lies_on_what_is_odd() -> None:
    scored = score("cae", [13])
    row, column = scored.peak[7]
    assert 2 <= row < 10
    assert 22 <= column < 30
    assert scored.instant[7] == scored.instant.max()


def test_ignored_places_do_not_score() -> None:
    watched = torch.ones(32, 32, dtype=torch.bool)
    watched[:14, 16:] = False
    rule = ScoringRule(match_light=False)
    scored = FrameScorer(small_model("cae", watched=watched).detector, rule, CPU).push(FRAMES)
    assert (scored.maps[:, :14, 16:] == 0).all()
    assert abs(scored.instant[7] - scored.instant[6]) < 0.05  # the odd thing lies in there


def test_background_weight_calms_places_with_large_typical_errors() -> None:
    rule = ScoringRule(background=True, match_light=False)
    model = small_model("cae", rule=rule)
    model.detector.typical_error[2:10, 22:30] = 1.0
    weighted = FrameScorer(model.detector, rule, CPU).push(FRAMES)
    plain = FrameScorer(small_model("cae").detector, ScoringRule(match_light=False), CPU).push(
        FRAMES
    )
    assert weighted.maps[7, 6, 26] < 0.1 * plain.maps[7, 6, 26]
    assert weighted.maps[7, 20, 5] == pytest.approx(plain.maps[7, 20, 5])


@pytest.mark.parametrize("stride", [1, 2])
def test_a_predictor_sees_the_first_frames_from_after_them(stride: int) -> None:
    net = small_model("predictor").detector.net
    clip = torch.from_numpy(FRAMES[..., 0]).float() / 255
    backwards, context = clip.flip(0), 3 * stride
    expected = []
    for number in range(len(clip)):
        line, end = (clip, number) if number >= context else (backwards, 12 - number)
        window = line[end - context : end + 1 : stride][None, None]
        with torch.no_grad():
            expected.append((net(window) - net.target(window)).abs()[0, 0, 0])
    plain = ScoringRule(causal=False, kernel_px=1, match_light=False)
    scorer = FrameScorer(small_model("predictor", stride=stride, rule=plain).detector, plain, CPU)
    maps = joined([scorer.push(FRAMES[:5]), scorer.push(FRAMES[5:]), scorer.finish()]).maps
    np.testing.assert_allclose(maps, torch.stack(expected), atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_judge_relies_on_windows_inside_the_run(stride: int) -> None:
    net = small_model("segmenter").detector.net
    clip = torch.from_numpy(FRAMES[..., 0]).float() / 255
    context = 3 * stride
    answers: list[list[torch.Tensor]] = [[] for _ in clip]
    for start in range(len(clip) - context):
        rows = range(start, start + context + 1, stride)
        with torch.no_grad():
            judged = net(clip[list(rows)][None, None])[0, 0]
        for row, answer in zip(rows, judged, strict=True):
            answers[row].append(answer)
    expected = torch.stack([torch.stack(each).mean(dim=0) for each in answers])
    plain = ScoringRule(causal=False, kernel_px=1, match_light=False)
    scorer = FrameScorer(small_model("segmenter", stride=stride, rule=plain).detector, plain, CPU)
    maps = joined([scorer.push(FRAMES[:5]), scorer.push(FRAMES[5:]), scorer.finish()]).maps
    np.testing.assert_allclose(maps, expected, atol=5e-3)  # the others count a thousandth


def test_a_causal_judge_gives_no_score_before_its_window_is_full() -> None:
    scored = score("segmenter", [2, 11])
    assert np.isnan(scored.instant[:3]).all()
    assert (scored.peak[:3] == -1).all()
    assert (scored.instant[3:] > 0).all()
