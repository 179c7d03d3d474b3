import numpy as np
import pytest

from tlae.rendering.heatmap import HeatScale
from tlae.rendering.layouts import Layout, Look, Plan, ShownMoment, compose, plan_layout
from tlae.rendering.marks import Caption

SCALE = HeatScale.from_threshold(1.0)


def strip_of(plan: Plan) -> np.ndarray:
    return np.full((*plan.strip_hw, 3), 7, np.uint8)


def moment(source_hw: tuple[int, int], rebuilt: bool = True) -> ShownMoment:
    error = np.zeros((16, 24), np.float32)
    error[4:8, 4:8] = 3
    return ShownMoment(
        np.full((*source_hw, 3), 100, np.uint8),
        error,
        Caption("00:01.0", "cam1  #10"),
        alarm=True,
        rebuilt=np.full((16, 24, 1), 50, np.uint8) if rebuilt else None,
    )


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize(
    "source_hw", [(32, 32), (158, 238), (239, 361), (768, 1024), (1201, 1601), (1920, 1080)]
)
@pytest.mark.parametrize("rebuilt", [True, False])
def test_frames_have_one_even_size(
    layout: Layout, source_hw: tuple[int, int], rebuilt: bool
) -> None:
    plan = plan_layout(layout, source_hw, rebuilt=rebuilt)
    assert all(pixels % 2 == 0 for pixels in plan.size_hw)
    assert plan.size_hw[1] <= 1920
    shape = plan.panel_hw[0] / plan.panel_hw[1]
    assert shape == pytest.approx(source_hw[0] / source_hw[1], rel=0.01)
    frame = compose(plan, Look(1.0, SCALE, layout), moment(source_hw, rebuilt), strip_of(plan))
    assert frame.shape == (*plan.size_hw, 3)
    assert (frame[-plan.strip_hw[0] :] == 7).all()


def test_a_picture_of_another_size_still_fits() -> None:
    plan = plan_layout(Layout.OVERLAY, (360, 480))
    frame = compose(plan, Look(1.0, SCALE), moment((240, 320)), strip_of(plan))
    assert frame.shape == (*plan.size_hw, 3)


def test_panels_stand_in_order() -> None:
    plan = plan_layout(Layout.SIDE_BY_SIDE, (160, 240), rebuilt=True)
    assert plan.panels == ("input", "rebuilt", "map", "overlay")
    frame = compose(plan, Look(1.0, SCALE), moment((160, 240)), strip_of(plan))
    height, width = plan.panel_hw
    top = plan.size_hw[0] - plan.strip_hw[0] - height
    lefts = [n * (width + 4) for n in range(4)]
    spot = [frame[top + round(0.37 * height), left + round(0.25 * width)] for left in lefts]
    assert spot[0].tolist() == [100] * 3
    assert spot[1].tolist() == [50] * 3
    assert spot[2][0] > 200  # hot in the map
    assert spot[3][0] > spot[3][2] + 60  # and in the overlay
    calm = [frame[top + round(0.7 * height), left + round(0.7 * width)] for left in lefts]
    assert calm[2].max() < 30
    assert calm[3].tolist() == [100] * 3
    assert frame[:top].max() > 120  # headings


def test_without_rebuilt_pictures_their_panel_is_left_out() -> None:
    assert plan_layout(Layout.SIDE_BY_SIDE, (160, 240)).panels == ("input", "map", "overlay")


@pytest.mark.parametrize("layout", list(Layout))
def test_an_unreadable_frame_shows_the_last_picture_darkened(layout: Layout) -> None:
    plan = plan_layout(layout, (360, 480), rebuilt=True)
    last = np.full((360, 480, 3), 200, np.uint8)
    lost = ShownMoment(last, None, Caption("00:01.0"), message="not readable: truncated")
    frame = compose(plan, Look(1.0, SCALE, layout), lost, strip_of(plan))
    top = plan.size_hw[0] - plan.strip_hw[0] - plan.panel_hw[0]
    assert (frame[top + 2, -2] == 70).all()
    nothing = ShownMoment(None, None, Caption("00:01.0"), message="not readable: empty file")
    assert compose(plan, Look(1.0, SCALE, layout), nothing, strip_of(plan)).shape == frame.shape
