from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small_footage import write_clips
from tlae.errors import UserError
from tlae.evaluation.baselines import frame_difference
from tlae.evaluation.frame_metrics import roc_auc
from tlae.evaluation.labels import frame_labels, read_ucsd_ranges
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import open_store
from tlae.footage.windows import segments
from tlae.scoring.rule import ScoringRule


def naive_auc(scores: np.ndarray, labels: np.ndarray) -> float:
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[labels] for b in scores[~labels]]
    return float(np.mean(pairs))


@settings(max_examples=50, deadline=None)
@given(data=st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_is_the_share_of_pairs_ranked_right(data: list[tuple[int, bool]]) -> None:
    scores = np.array([float(s) for s, _ in data])
    labels = np.array([label for _, label in data])
    if labels.all() or not labels.any():
        with pytest.raises(UserError, match="needs normal and anomalous frames"):
            roc_auc(scores, labels)
        return
    assert roc_auc(scores, labels) == pytest.approx(naive_auc(scores, labels))


def test_a_missing_score_is_told() -> None:
    with pytest.raises(UserError, match="1 are empty"):
        roc_auc(np.array([0.1, np.nan]), np.array([True, False]))


def test_published_errors_give_the_published_auc(shared_data: Path) -> None:
    rows = np.genfromtxt(
        shared_data / "memae_ped2_errors.csv", delimiter=",", names=True, dtype=None
    )
    assert round(roc_auc(rows["error"], rows["label"].astype(bool)), 4) == 0.6958


def test_ucsd_ranges_are_one_based_and_inclusive(tmp_path: Path) -> None:
    (tmp_path / "l.m").write_text(
        "TestVideoFile = {};\n"
        "TestVideoFile{end+1}.gt_frame = [2:3, 5:5];\n"
        "TestVideoFile{end+1}.gt_frame = [];\n"
    )
    ranges = read_ucsd_ranges(tmp_path / "l.m")
    assert ranges == [[(2, 3), (5, 5)], []]
    labels = frame_labels(ranges, {"a": 5, "b": 2})
    assert labels.tolist() == [False, True, True, False, True, False, False]
    with pytest.raises(UserError, match="must cover 1 clips, got 2"):
        frame_labels(ranges, {"a": 5})
    with pytest.raises(UserError, match=r"labels of a must lie within 1\.\.4"):
        frame_labels(ranges, {"a": 4, "b": 2})


def test_real_label_files(shared_data: Path) -> None:
    ped2 = read_ucsd_ranges(shared_data / "UCSDped2/Test/UCSDped2.m")
    assert [len(r) for r in ped2] == [1] * 12
    ped1 = read_ucsd_ranges(shared_data / "UCSDped1/Test/UCSDped1.m")
    assert len(ped1) == 36
    assert max(len(r) for r in ped1) == 2


def test_missing_or_foreign_label_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"existing UCSD \.m file"):
        read_ucsd_ranges(tmp_path / "none.m")
    (tmp_path / "x.m").write_text("hello")
    with pytest.raises(UserError, match="holds none"):
        read_ucsd_ranges(tmp_path / "x.m")


def test_frame_difference_peaks_where_something_appears(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "n", (300, 12), odd=((1, 7),))
    store = open_store(open_footage(str(root)), Preprocessing((32, 32)), tmp_path / "cache")
    scores = frame_difference(store, segments(store.index, 0), ScoringRule(smooth_frames=0))
    assert len(scores) == 312
    assert scores[0] == scores[300] == 0
    assert set(np.argsort(scores)[-2:]) == {307, 308}  # it comes, it goes
