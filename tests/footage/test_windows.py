from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlae.errors import FootageError
from tlae.footage.dataset import EpochSampler, InOrder
from tlae.footage.windows import (
    hold_out_blocks,
    hold_out_days,
    median_interval_s,
    segments,
    windows_of,
)
from tlae.table import Table


def index_of(clips: str, times: list[float], bad: tuple[int, ...] = ()) -> pd.DataFrame:
    state = ["truncated" if i in bad else "ok" for i in range(len(clips))]
    return pd.DataFrame({"clip": list(clips), "time_s": times, "state": state})


def test_segments_end_at_clips_gaps_and_clock_jumps_only() -> None:
    index = index_of("aaaaaabbbb", [0, 1, 2, 9, 10, 11, 0, 1, 0.5, 1.5], bad=(1,))
    found = [run.tolist() for run in segments(Table.of(index), gap_s=5)]
    assert found == [[0, 2], [3, 4, 5], [6, 7], [8, 9]]
    assert [len(run) for run in segments(Table.of(index), gap_s=0)] == [
        5,
        2,
        2,
    ]  # gaps not looked for


def test_no_readable_frame_gives_no_segment() -> None:
    assert segments(Table.of(index_of("aa", [0, 1], bad=(0, 1))), 5) == []


def test_median_interval_is_the_median_within_clips() -> None:
    assert median_interval_s(Table.of(index_of("aaaabb", [0, 1, 2, 60, 0, 1]))) == 1
    assert median_interval_s(Table.of(index_of("ab", [0, 7]))) == 0


runs_strategy = st.lists(st.integers(1, 40), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    lengths=runs_strategy, share=st.sampled_from([0.1, 0.15, 0.3, 0.5]), window=st.integers(1, 8)
)
def test_hold_out_never_shares_or_shuffles(lengths: list[int], share: float, window: int) -> None:
    ends = np.cumsum(lengths)
    runs = [np.arange(end - length, end) for length, end in zip(lengths, ends, strict=True)]
    try:
        train, held_out = hold_out_blocks(runs, share, window)
    except FootageError:
        assert sum(n for n in lengths if n >= window) < 2 * window
        return
    assert train
    assert held_out
    rows = np.concatenate(train + held_out)
    assert len(np.unique(rows)) == len(rows)
    for block in train + held_out:
        assert len(block) >= window
        assert (np.diff(block) == 1).all()
        assert any(set(block) <= set(run) for run in runs)


def test_whole_clips_are_held_out_where_there_are_many() -> None:
    runs = [np.arange(10 * i, 10 * i + 10) for i in range(16)]
    train, held_out = hold_out_blocks(runs, 0.15, 5)
    assert [run[0] // 10 for run in held_out] == [3, 10]
    assert len(train) == 14


def test_one_long_clip_is_cut_into_blocks_spread_over_it() -> None:
    _, held_out = hold_out_blocks([np.arange(2100)], 0.15, 10)
    assert len(held_out) == 3
    assert 0.1 < sum(map(len, held_out)) / 2100 < 0.2
    assert held_out[0][0] < 700 < 1400 < held_out[2][0]


def naive_windows(runs: list[np.ndarray], frames: int, strides: list[int]) -> set[tuple[int, ...]]:
    found = set()
    for run in runs:
        for stride in strides:
            for start in range(len(run)):
                rows = run[start : start + (frames - 1) * stride + 1 : stride]
                if len(rows) == frames:
                    found.add(tuple(int(r) for r in rows))
    return found


@settings(max_examples=40, deadline=None)
@given(
    lengths=runs_strategy, frames=st.integers(1, 5), strides=st.sets(st.integers(1, 3), min_size=1)
)
def test_windows_are_all_and_only_those_within_a_run(
    lengths: list[int], frames: int, strides: set[int]
) -> None:
    ends = np.cumsum(lengths)
    runs = [2 * np.arange(e - n, e) for n, e in zip(lengths, ends, strict=True)]  # rows with holes
    expected = naive_windows(runs, frames, sorted(strides))
    if not expected:
        with pytest.raises(FootageError, match="window_frames must be <="):
            windows_of(runs, frames, sorted(strides))
        return
    windows = windows_of(runs, frames, sorted(strides))
    rows = windows.rows(np.arange(len(windows)))
    assert {tuple(int(r) for r in window) for window in rows} == expected


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"holdout must be in \(0, 0.5\]"):
        hold_out_blocks([np.arange(100)], 0.9, 1)
    with pytest.raises(ValueError, match="strides must be numbers >= 1"):
        windows_of([np.arange(100)], 4, [0])
    with pytest.raises(FootageError, match="at least 20 readable frames in runs"):
        hold_out_blocks([np.arange(5)], 0.2, 10)


def batches(sampler: EpochSampler, epoch: int) -> list[list[int]]:
    sampler.set_epoch(epoch)
    return [batch.tolist() for batch in sampler]


def test_epochs_pass_every_window_once_before_any_twice() -> None:
    sampler = EpochSampler(windows=10, per_epoch=5, batch_size=1, seed=3)
    seen = [w for epoch in range(4) for batch in batches(sampler, epoch) for w in batch]
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]


def test_an_epoch_is_the_same_whether_or_not_others_came_before() -> None:
    fresh, used = (EpochSampler(100, 40, 4, seed=1) for _ in range(2))
    for epoch in range(3):
        batches(used, epoch)
    assert batches(fresh, 3) == batches(used, 3)
    assert batches(EpochSampler(100, 40, 4, seed=2), 3) != batches(used, 3)


def test_an_epoch_has_a_fixed_number_of_windows_however_short_the_footage() -> None:
    sampler = EpochSampler(windows=3, per_epoch=12, batch_size=4, seed=0)
    assert [len(b) for b in batches(sampler, 0)] == [4, 4, 4]
    assert len(sampler) == 3


def test_processes_share_an_epoch_without_overlap() -> None:
    shares = [EpochSampler(100, 40, 4, seed=1, rank=r, world=2) for r in range(2)]
    one, other = (np.concatenate(batches(s, 1)).tolist() for s in shares)
    assert len(one) == len(other) == 20
    assert not set(one) & set(other)


def test_validation_takes_evenly_spread_windows_in_order() -> None:
    chosen = np.concatenate(list(InOrder(windows=101, at_most=5, batch_size=2)))
    assert chosen.tolist() == [0, 25, 50, 75, 100]
    assert len(InOrder(101, 5, 2)) == 3


def days_index(days: int, per_day: int) -> pd.DataFrame:
    taken_at = pd.date_range("2026-03-01", periods=days * per_day, freq=f"{24 // per_day}h")
    return pd.DataFrame({"taken_at": taken_at})


def test_whole_days_are_held_out_and_the_last_is_among_them() -> None:
    index = days_index(days=10, per_day=4)
    split = hold_out_days(Table.of(index), [np.arange(40)], 0.2, shortest=1)
    assert split is not None
    train, held = split
    assert sorted(np.concatenate([*train, *held])) == list(range(40))
    days = index["taken_at"].dt.day.to_numpy()
    assert set(days[np.concatenate(held)]) == {5, 10}
    assert not set(days[np.concatenate(train)]) & {5, 10}
    assert all((np.diff(run) == 1).all() for run in [*train, *held])


def test_few_days_or_none_known_are_not_held_out() -> None:
    assert hold_out_days(Table.of(days_index(3, 4)), [np.arange(12)], 0.2, shortest=1) is None
    unknown = days_index(10, 4)
    unknown.loc[3, "taken_at"] = pd.NaT
    assert hold_out_days(Table.of(unknown), [np.arange(40)], 0.2, shortest=1) is None


@given(
    times=st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.7, 5.0]), min_size=1, max_size=30),
    cut=st.integers(0, 30),
    piece_rows=st.sampled_from([1, 2, 7, 100]),
)
def test_the_median_interval_and_segments_are_those_of_all_rows(
    times: list[float], cut: int, piece_rows: int
) -> None:
    clips = "a" * min(cut, len(times)) + "b" * max(0, len(times) - cut)
    index = Table.of(index_of(clips, times))
    steps = np.diff(times)[[a == b for a, b in pairwise(clips)]]
    forward = steps[steps > 0]
    whole = [run.tolist() for run in segments(index, 1.0)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tlae.lazy_column.PIECE_ROWS", piece_rows)
        assert median_interval_s(index) == (np.median(forward) if len(forward) else 0.0)
        assert [run.tolist() for run in segments(index, 1.0)] == whole
