"""Pictures of normal things: different ones are kept, and the most similar one is found."""

import numpy as np
import pytest

from tests.attributes.drawn_street import SIZE_HW, Walker, drawn
from tests.attributes.test_observer import SCALE, SCENE
from tlae.attributes.cells import Cells
from tlae.attributes.examples import KEPT, SIDE_PX, Collector, Examples, cell_of
from tlae.attributes.observer import Observer, ObserverState, Renewal

SLOW = Walker(20, 70, 1.0, tall=26, wide=16)
FAST = Walker(20, 70, 4.0, tall=26, wide=16)


def collected(walkers: list[Walker], frames: int = 20) -> Examples:
    observer = Observer(SCENE, 1, Renewal(), SCALE)
    collector = Collector(frames)
    past = ObserverState.none((*SIZE_HW, 3))
    for picture in drawn(walkers, frames, seed=5):
        seen, past = observer.see(picture, past)
        collector.see(picture, seen.cells)
    return collector.examples(3, SCALE)


def joined(first: Examples, second: Examples) -> Examples:
    return Examples(
        np.concatenate([first.pictures, second.pictures]),
        Cells.joined([first.cells, second.cells]),
        SCALE,
    )


@pytest.fixture(scope="module")
def examples() -> Examples:
    return joined(collected([SLOW]), collected([FAST])).spread_out()


@pytest.mark.parametrize("pace", [1.0, 4.0])
def test_the_most_similar_thing_moves_alike(examples: Examples, pace: float) -> None:
    values = {"vx": pace, "speed": pace, "height": 26.0, "width": 16.0, "radius": 6.0, "foot": 70.0}
    found = examples.nearest(cell_of(values, (7, 8)))
    assert examples.cells.vx[found] == pytest.approx(pace, abs=1)


def test_pictures_show_the_thing(examples: Examples) -> None:
    assert examples.pictures.shape[1:] == (SIDE_PX, SIDE_PX, 3)
    assert (np.ptp(examples.pictures.reshape(len(examples.pictures), -1), axis=1) > 60).all()


def test_they_are_bounded_and_differ() -> None:
    many = collected([SLOW, Walker(110, 60, -2.0, tall=20, wide=12)], 60)
    again = joined(many, joined(many, joined(many, many)))
    chosen = again.spread_out()
    assert len(chosen.pictures) == len(chosen.cells) == min(KEPT, len(again.cells))
    half = len(np.unique(chosen.stacked()[:, : len(many.cells)].T, axis=0))
    assert half == min(KEPT, len(many.cells))  # no thing twice while there are others


def test_nothing_is_similar_where_there_is_nothing() -> None:
    nothing = Collector(10).examples(1, SCALE)
    assert nothing.spread_out().nearest(cell_of({}, (0, 0))) == -1


def test_they_survive_as_numbers(examples: Examples) -> None:
    again = Examples.from_stacked(examples.pictures, examples.stacked(), SCALE)
    np.testing.assert_array_equal(again.stacked(), examples.stacked())
