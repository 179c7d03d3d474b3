"""An exported model that measures says what the trained one says, frame by frame, with reasons."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from tests.exported.small_exported import export_of
from tests.exported.small_measuring import film_for, site_model, street_model
from tlae.budget import Budget
from tlae.errors import UserError
from tlae.exported.measuring import MeasuringScorer
from tlae.exporting.export import exported
from tlae.live.live import Live
from tlae.live.score import LiveScore
from tlae.model_file import Model, build_net
from tlae.models.standardised import Standardised
from tlae.scorable import Scorable

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module", params=["attributes", "joint", "joint alone", "patches"])
def models(request: pytest.FixtureRequest) -> tuple[Model, Scorable]:
    model = site_model() if request.param == "patches" else street_model(request.param)
    return model, export_of(model)


def pushed(
    model: Scorable, film: Iterable[np.ndarray], budget: Budget, *, skip_calm: bool
) -> list[LiveScore]:
    """Verdicts, with a gap in time, and a restart from a state."""
    found, interval_s = [], model.calibration.interval_s
    live = Live(model, budget, device="cpu", skip_calm=skip_calm)
    for number, frame in enumerate(film):
        if number == 20:
            state, live = live.state(), Live(model, budget, device="cpu", skip_calm=skip_calm)
            live.restore(state)
        found.append(live.push(frame, interval_s * (number + (9 if number >= 27 else 0))))
    return found


@pytest.mark.parametrize("skip_calm", [False, True])
def test_it_is_scored_alike(models: tuple[Model, Scorable], *, skip_calm: bool) -> None:
    trained, other = models
    film = film_for(trained)
    plain = trained.scorer(trained.rule, "cpu").push(film)
    budget = Budget(threshold=float(np.nanquantile(plain.instant, 0.8)))
    theirs = pushed(trained, film, budget, skip_calm=skip_calm)
    ours = pushed(other, film, budget, skip_calm=skip_calm)
    for mine, their in zip(ours, theirs, strict=True):
        scale = max(1.0, float(their.map.max()))
        np.testing.assert_allclose(mine.map, their.map, atol=1e-4 * scale)
        np.testing.assert_allclose(mine.raw, their.raw, atol=1e-4 * scale)
        assert (mine.alarm, mine.state, mine.skipped) == (their.alarm, their.state, their.skipped)
        assert [event.last_frame for event in mine.ended] == [e.last_frame for e in their.ended]
        if not their.instant > 0:
            assert (their.reason, their.example) == ("", -1)
        if mine.map.argmax() == their.map.argmax():  # of places that are as unusual
            assert (mine.reason, mine.example) == (their.reason, their.example)
    assert any(their.alarm for their in theirs)
    assert np.isfinite([their.raw for their in theirs]).sum() > 20


def test_pictures_of_normal_things_come_along(models: tuple[Model, Scorable]) -> None:
    trained, other = models
    np.testing.assert_array_equal(other.examples(), trained.examples())


def test_the_net_is_spared_where_nothing_changes(models: tuple[Model, Scorable]) -> None:
    steps, (trained, other) = 0, models
    scorer = other.scorer(other.rule, "cpu", skip_calm=True)
    assert isinstance(scorer, MeasuringScorer)
    step = scorer._step

    def counted(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        nonlocal steps
        steps += 1
        return step(inputs)

    scorer._step = counted
    scored = scorer.push(np.repeat(film_for(trained)[:1], 60, axis=0))
    if trained.calibration.interval_s > 1:
        assert not scored.skipped.any()  # stills are all looked at
        return
    assert scored.skipped[-40:].mean() > 0.5  # not where the background was renewed
    assert steps < 15


def test_other_arithmetic_of_a_gpu_and_nets_that_learnt_nothing(
    models: tuple[Model, Scorable],
) -> None:
    model, _ = models
    half = replace(model, detector=replace(model.detector, precision="bfloat16"))
    assert export_of(half).precision == "float32"  # no autocast around what measures
    empty = build_net(model.detector.net_config)
    mean = model.detector.net.mean_frame
    other = replace(model, detector=replace(model.detector, net=Standardised(empty, mean, 0.1)))
    with pytest.raises(UserError, match="must have learnt from footage to be exported"):
        exported(other)
