"""Cells: how fast, how large, how long; and the memory between frames."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.attributes.drawn_street import SIZE_HW, Walker, drawn, normal_street
from tlae.attributes.background import Background
from tlae.attributes.cells import Cells, Planes, cells_of
from tlae.attributes.kinds import Scale
from tlae.attributes.observer import LEAST_SAMPLES, Observation, Observer, ObserverState, Renewal

SCENE = Background.of(normal_street()[::4])
SCALE = Scale(SIZE_HW, 0.0, 18.0, 9.0, 1.5, 0.08, np.zeros((*SIZE_HW, 4), np.float32))


def observe(walkers: list[Walker], frames: int, apart: int = 1) -> list[Observation]:
    observer = Observer(SCENE, apart, Renewal(), SCALE)
    past, seen = ObserverState.none((*SIZE_HW, 3)), []
    for frame in drawn(walkers, frames, seed=5):
        one, past = observer.see(frame, past)
        seen.append(one)
    return seen


def inside(seen: Observation) -> Cells:
    """Cells that are well covered."""
    return seen.cells[seen.cells.cover > 0.4]


@pytest.mark.parametrize("apart", [1, 3])
@pytest.mark.parametrize("pace", [-2.0, 1.0, 3.0])
def test_motion_is_measured_in_pixels_a_frame(pace: float, apart: int) -> None:
    cells = inside(observe([Walker(60, 70, pace, tall=26, wide=16)], 12, apart)[-1])
    assert np.median(cells.vx) == pytest.approx(pace, rel=0.4)
    assert np.abs(np.median(cells.vy)) < 0.3


@pytest.mark.parametrize("pace", [2.0, 4.0])
def test_small_things_are_not_held_fast_by_the_background(pace: float) -> None:
    """In the whole picture, their motion came out at about half of what it is."""
    for frame in (8, 12):
        cells = observe([Walker(30, 64, pace, tall=10, wide=6)], frame)[-1].cells
        assert np.median(cells.vx) == pytest.approx(pace, rel=0.4)


def test_the_halves_of_a_thing_have_their_own_speed() -> None:
    foreground = np.zeros(SIZE_HW, np.float32)
    foreground[20:60, 40:56] = 1
    flow = np.zeros((*SIZE_HW, 2), np.float32)
    flow[20:40, :, 0], flow[40:60, :, 0] = -1.5, 3.0
    cells = cells_of(Planes(foreground, flow), 0)
    assert len(cells)
    np.testing.assert_allclose(cells.upper, 1.5, rtol=1e-3)
    np.testing.assert_allclose(cells.lower, 3.0, rtol=1e-3)


def test_size_and_foot_are_those_of_the_thing() -> None:
    cells = inside(observe([Walker(60, 70, 1.0, tall=26, wide=16)], 6)[-1])
    assert np.median(cells.height) == pytest.approx(26, abs=3)
    assert np.median(cells.width) == pytest.approx(16, abs=3)
    assert np.median(cells.foot) == pytest.approx(70, abs=2)


def test_what_stands_is_counted_until_it_goes() -> None:
    seen = observe([Walker(40, 70, 2.0, tall=26, wide=16, stops_at=8)], 40)
    assert inside(seen[7]).stands.max() < 4
    assert inside(seen[39]).stands.max() > 15


def test_the_first_frame_of_a_run_shows_no_motion_and_has_no_cells() -> None:
    assert not len(observe([Walker(60, 70, 1.0)], 1)[0].cells)


def test_a_renewed_background_takes_in_what_stays() -> None:
    observer = Observer(SCENE, 1, Renewal(1, 2), SCALE)
    past, covered = ObserverState.none((*SIZE_HW, 3)), []
    comes = Walker(-30, 70, 6.0, tall=26, wide=16, stops_at=15)
    for frame in drawn([comes], 12 * LEAST_SAMPLES, seed=6):
        seen, past = observer.see(frame, past)
        covered.append(float(seen.planes.foreground.sum()))
    assert covered[20] > 300
    assert covered[-1] < 10


def test_what_stood_there_before_the_run_began_is_background() -> None:
    observer = Observer(SCENE, 1, Renewal(start=8, spacing=200), SCALE)
    walkers = [
        Walker(30, 70, 0.0, tall=26, wide=16),
        Walker(80, 70, 2.0, tall=26, wide=16, stops_at=20),
    ]
    past, covered = ObserverState.none((*SIZE_HW, 3)), []
    for frame in drawn(walkers, 60, seed=6):
        seen, past = observer.see(frame, past)
        covered.append(seen.planes.foreground[:, :60].sum())
    assert max(covered[:25]) < 10  # then the shift of the camera is measured anew
    assert seen.planes.foreground[:, 60:].sum() > 300  # what came later and stays is still seen


def test_samples_lie_close_together_at_first_and_ever_further_apart() -> None:
    renewal = Renewal(start=20, spacing=240)
    due = [count for count in range(1000) if renewal.is_due(count)]
    assert due == [0, 5, 10, 15, 20, 40, 80, 160, 240, 480, 720, 960]
    assert not any(Renewal(start=20).is_due(count) for count in range(100))


def test_nothing_counts_where_nobody_watches() -> None:
    nowhere = np.zeros(SIZE_HW, bool)
    observer = Observer(SCENE, 1, Renewal(), SCALE, nowhere)
    past = ObserverState.none((*SIZE_HW, 3))
    for frame in drawn([Walker(60, 70, 2.0)], 4):
        seen, past = observer.see(frame, past)
        assert not len(seen.cells)


def test_no_parts_are_no_cells() -> None:
    assert not len(Cells.joined([]))


def test_one_observer_serves_several_threads() -> None:
    observer = Observer(SCENE, 1, Renewal(), SCALE)

    def motion(pace: float) -> list[np.ndarray]:
        past, flows = ObserverState.none((*SIZE_HW, 3)), []
        for frame in drawn([Walker(60, 70, pace, tall=26, wide=16)], 12, seed=5):
            seen, past = observer.see(frame, past)
            flows.append(seen.planes.flow)
        return flows

    paces = [-2.0, 1.0, 2.0, 3.0]
    with ThreadPoolExecutor(len(paces)) as pool:
        together = list(pool.map(motion, paces))
    np.testing.assert_array_equal(together, [motion(pace) for pace in paces])
