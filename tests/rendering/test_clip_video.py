import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from tlae.errors import FootageError, UserError
from tlae.footage.frames import Frame
from tlae.rendering.clip_video import ClipScores, render_clip, select_rows
from tlae.rendering.heatmap import HeatScale
from tlae.rendering.layouts import Layout, Look
from tlae.rendering.timeline import ScoreAxis
from tlae.table import Table

SOURCE_HW = (90, 121)
COUNT = 10
BAD = (0, 1, 6)


def score_table(count: int = COUNT) -> pd.DataFrame:
    state = np.array(["ok"] * count, object)
    state[list(BAD)] = "truncated"
    raw = np.where(state == "ok", 0.3, np.nan)
    raw[4:6] = 2.0
    return pd.DataFrame(
        {
            "clip": "cam/1",
            "frame": np.arange(count),
            "path": "x",
            "time_s": np.arange(count) * 0.5,
            "taken_at": pd.Series(pd.NaT, index=range(count), dtype="datetime64[ns]"),
            "state": state,
            "raw": raw,
            "score": raw,
            "alarm": np.nan_to_num(raw) > 1,
            "peak_x": 1.0,
            "peak_y": 1.0,
        }
    )


def footage(count: int = COUNT) -> Iterator[Frame]:
    for number in range(count):
        bad = number in BAD
        image = None if bad else np.full((*SOURCE_HW, 3), 120, np.uint8)
        state = "truncated" if bad else "ok"
        yield Frame("cam/1", number, number * 0.5, None, "x", image, state)


def map_of(row: int) -> np.ndarray:
    assert row not in BAD
    error = np.full((30, 40), 0.2, np.float32)
    if row in (4, 5):
        error[10:20, 10:20] = 3.0
    return error


def scores() -> ClipScores:
    table = score_table()
    axis = ScoreAxis.from_scores(table["raw"].to_numpy(), 1.0)
    return ClipScores(
        Table.of(table),
        map_of,
        axis,
        lambda row: np.full((30, 40, 1), 60, np.uint8),
        events=[(4, 5)],
    )


def look(layout: Layout = Layout.OVERLAY) -> Look:
    return Look(1.0, HeatScale.from_threshold(1.0), layout)


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24").astype(int) for f in container.decode(video=0)]


def test_the_anomaly_is_hot_where_it_is_and_all_else_is_calm(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    shown: list[int] = []
    render_clip(footage(), scores(), look(), range(COUNT), path, 5, lambda n=1: shown.append(n))
    frames = decoded(path)
    assert len(frames) == len(shown) == COUNT
    height, width = 4 * SOURCE_HW[0], 4 * SOURCE_HW[1]
    assert frames[0].shape[1] == width
    hot = frames[4][height // 3 + 20 : 2 * height // 3 - 20, width // 4 + 20 : width // 2 - 20]
    assert (hot[..., 0] - hot[..., 2]).mean() > 80
    calm = frames[4][height // 3 : height // 2, 2 * width // 3 : -20]
    np.testing.assert_allclose(calm, 120, atol=4)
    np.testing.assert_allclose(frames[3][40 : height - 40, 20:-20], 120, atol=4)
    red = frames[4][height // 2, 1]
    assert red[0] > 150 > 100 > red[1]  # alarm border


def test_unreadable_frames_show_the_last_good_picture_darkened(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    render_clip(footage(), scores(), look(), range(COUNT), path, 5)
    frames = decoded(path)
    np.testing.assert_allclose(frames[6][20:100, 20:100], 0.35 * 120, atol=4)
    assert frames[6][150:210].max() > 180  # the reason
    assert frames[0][20:100, 20:100].max() < 40  # nothing was good before


@pytest.mark.parametrize("layout", list(Layout))
def test_chosen_rows_alone_are_shown(tmp_path: Path, layout: Layout) -> None:
    path = tmp_path / "clip.mp4"
    render_clip(footage(), scores(), look(layout), [1, 4, 6], path, 5)
    frames = decoded(path)
    assert len(frames) == 3
    assert all(pixels % 2 == 0 for pixels in frames[0].shape[:2])


def test_footage_is_read_only_as_far_as_needed(tmp_path: Path) -> None:
    def short() -> Iterator[Frame]:
        yield from footage(5)
        raise AssertionError("read too far")

    render_clip(short(), scores(), look(), [3, 4], tmp_path / "clip.mp4", 5)


def test_a_clip_without_any_picture_is_shown_too(tmp_path: Path) -> None:
    frames = (Frame("cam/1", n, n * 0.5, None, "x", None, "empty file") for n in BAD[:2])
    render_clip(frames, scores(), look(), [0, 1], tmp_path / "clip.mp4", 5)
    assert len(decoded(tmp_path / "clip.mp4")) == 2


def test_missing_footage_and_empty_choices_are_told(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match=r"cam/1 .* 2 of them from #8 on are missing"):
        render_clip(footage(8), scores(), look(), range(COUNT), tmp_path / "clip.mp4", 5)
    with pytest.raises(UserError, match="widen the selection"):
        render_clip(footage(), scores(), look(), [], tmp_path / "clip.mp4", 5)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("choice", "rows"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"every": 4}, [0, 4, 8]),
        ({"start_s": 1.0, "end_s": 2.0}, [2, 3, 4]),
        ({"start_s": 3.9}, [8, 9]),
        ({"end_s": -1.0}, []),
        ({"only_events": True}, [4, 5]),
        ({"only_events": True, "padding_s": 0.5}, [3, 4, 5, 6]),
        ({"only_events": True, "padding_s": 0.5, "start_s": 2.0}, [4, 5, 6]),
        ({"only_events": True, "padding_s": 99}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"only_events": True, "events": []}, []),
        ({"only_events": True, "events": [(1, 3), (8, 8)], "every": 2}, [1, 3, 8]),
    ],
)
def test_rows_to_show(choice: dict[str, object], rows: list[int]) -> None:
    chosen = select_rows(Table.of(score_table()), **{"events": [(4, 5)], **choice})  # type: ignore[arg-type]
    assert chosen.tolist() == rows


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"every": 0}, "every must be >= 1"),
        ({"padding_s": -1.0}, "padding_s must be >= 0"),
        ({"start_s": 2.0, "end_s": 1.0}, "start_s must be <= end_s"),
    ],
)
def test_bad_choices_are_refused(choice: dict[str, float], words: str) -> None:
    with pytest.raises(UserError, match=words):
        select_rows(Table.of(score_table()), **choice)  # type: ignore[arg-type]


def test_rendering_needs_no_heavy_libraries() -> None:
    code = (
        "import sys, tlae.rendering.clip_video, tlae.rendering.contact_sheet; "
        "print({'torch', 'pytorch_lightning', 'hydra', 'matplotlib'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"


def test_a_frame_of_the_warm_up_is_shown_as_it_is(tmp_path: Path) -> None:
    scored = scores()
    scored.table["state"][3], scored.table["raw"][3] = "warm-up", np.nan
    render_clip(footage(), scored, look(), [3], tmp_path / "clip.mp4", 5)
    np.testing.assert_allclose(decoded(tmp_path / "clip.mp4")[0][60:140, 20:100], 120, atol=4)
