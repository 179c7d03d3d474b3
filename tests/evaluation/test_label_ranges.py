from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlae.errors import UserError
from tlae.evaluation.labels.ranges import read_ucsd, read_ucsd_ranges
from tlae.evaluation.labels.tables import read_table

Clips = dict[str, list[bool]]


def clips_of_labels() -> st.SearchStrategy[Clips]:
    labels = st.lists(st.booleans(), min_size=1, max_size=12)
    return st.lists(labels, min_size=1, max_size=4).map(
        lambda clips: {f"clip{n + 8}": labels for n, labels in enumerate(clips)}  # clip8 to clip11
    )


def naive_ranges(labels: list[bool]) -> list[tuple[int, int]]:
    """First and last index of every run of True, both inclusive."""
    ranges: list[tuple[int, int]] = []
    for index, label in enumerate(labels):
        if label and index and labels[index - 1]:
            ranges[-1] = (ranges[-1][0], index)
        elif label:
            ranges.append((index, index))
    return ranges


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def ucsd(ranges: str) -> str:
    return f"TestVideoFile{{end+1}}.gt_frame = [{ranges}];"


def lengths_of(clips: Clips) -> dict[str, int]:
    return {clip: len(labels) for clip, labels in clips.items()}


def test_ucsd_ranges_are_one_based_and_inclusive(tmp_path: Path) -> None:
    path = write(
        tmp_path / "set.m",
        "TestVideoFile = {};",
        ucsd("2:3, 5:5"),
        "% TestVideoFile{end+1}.gt_frame = [9:9];",
        ucsd(""),
        ucsd("1 3:4") + " % a single frame, no comma",
    )
    assert read_ucsd_ranges(path) == [[(2, 3), (5, 5)], [], [(1, 1), (3, 4)]]
    truths = read_ucsd(path, {"t10": 4, "t1": 5, "t2": 2})  # the file's order is t1, t2, t10
    assert truths["t1"].anomalous.tolist() == [False, True, True, False, True]
    assert truths["t2"].anomalous.tolist() == [False, False]
    assert truths["t10"].anomalous.tolist() == [True, False, True, True]
    assert not truths["t1"].has_regions


@settings(max_examples=40, deadline=None)
@given(clips=clips_of_labels())
def test_labels_survive_being_written_as_ranges(
    clips: Clips, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ranges")
    rows = [ucsd(", ".join(f"{a + 1}:{b + 1}" for a, b in naive_ranges(c))) for c in clips.values()]
    of_ucsd = read_ucsd(write(folder / "set.m", *rows), lengths_of(clips))
    rows = ["clip,first,last"]
    for clip, labels in clips.items():
        rows += [f"{clip},{a},{b}" for a, b in naive_ranges(labels)] or [f"{clip},,"]
    of_ranges = read_table(write(folder / "ranges.csv", *rows), lengths_of(clips))
    rows = [f"{clip},{n},{int(x)}" for clip, labels in clips.items() for n, x in enumerate(labels)]
    frames = write(folder / "frames.csv", "clip,frame,label", *sorted(rows))
    of_frames = read_table(frames, lengths_of(clips))
    for truths in (of_ucsd, of_ranges, of_frames):
        assert {clip: truth.anomalous.tolist() for clip, truth in truths.items()} == clips


@pytest.mark.parametrize(
    "line",
    [
        ucsd("5:90:2"),
        ucsd("5-90"),
        ucsd("a:b"),
        ucsd("1:2") + " " + ucsd("3:4"),
        "TestVideoFile{end+1}.gt_frame = [1:2",
        "gt_frame = x;",
    ],
)
def test_other_matlab_code_is_refused_not_skipped(line: str, tmp_path: Path) -> None:
    path = write(tmp_path / "set.m", ucsd("1:2"), line)
    with pytest.raises(UserError, match=r"line 2 of .*set\.m must read like `gt_frame = \[5:90, "):
        read_ucsd_ranges(path)


def test_ucsd_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "set.m", ucsd("1:2"), ucsd("3:5"))
    with pytest.raises(UserError, match=r"set\.m has 2 clips, scores have 1;"):
        read_ucsd(path, {"a": 5})
    with pytest.raises(UserError, match=r"labels of b must lie within frames 1 to 4 .* got 3:5 in"):
        read_ucsd(path, {"a": 5, "b": 4})
    with pytest.raises(UserError, match="got 0:2"):
        read_ucsd(write(path, ucsd("0:2")), {"a": 5})
    with pytest.raises(UserError, match="got 3:2"):
        read_ucsd(write(path, ucsd("3:2")), {"a": 5})
    with pytest.raises(UserError, match="holds none"):
        read_ucsd(write(path, "hello", "% gt_frame = [1:2];"), {"a": 5})


def test_ped1_ranges(shared_data: Path) -> None:
    path = shared_data / "UCSDped1/Test/UCSDped1.m"
    truths = read_ucsd(path, {f"Test{n:03}": 200 for n in range(1, 37)})
    labels = np.concatenate([truth.anomalous for truth in truths.values()])
    assert (len(labels), labels.sum()) == (7200, 4045)
    assert sum(map(len, read_ucsd_ranges(path))) == 40
    assert [clip for clip, truth in truths.items() if truth.anomalous.all()] == ["Test014"]
    assert np.flatnonzero(truths["Test001"].anomalous)[[0, -1]].tolist() == [59, 151]  # 60:152


def test_csv_ranges_are_zero_based_and_may_overlap(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "\ufeffclip, first, last, who", "a,1,2,me", "a,2,3,", "b, ,")
    truths = read_table(path, {"b": 2, "a": 5})
    assert truths["a"].anomalous.tolist() == [False, True, True, True, False]
    assert truths["b"].anomalous.tolist() == [False, False]


def test_published_frame_labels(shared_data: Path) -> None:
    path = shared_data / "memae_ped2_errors.csv"
    columns = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")
    clips, counts = np.unique(columns["clip"], return_counts=True)
    lengths = {str(clip): int(count) for clip, count in zip(clips, counts, strict=True)}
    with pytest.raises(UserError, match="counted from 0"):  # its clips lack their first frames
        read_table(path, lengths)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            ["clip,start,end", "a,1,2"],
            "columns clip,first,last or clip,frame,label, .* clip,end,start",
        ),
        ([], "has none"),
        (["clip,first,last", "a,0,1"], "misses b"),
        (["clip,first,last", "a,0,1", "b,,", "c,,"], "names c; score them too"),
        (["clip,first,last", "a,0,1", "b,1,"], "last must be a whole number, got '' in line 3 of"),
        (
            ["clip,first,last", "a,0.5,1", "b,,"],
            "first must be a whole number, got '0.5' in line 2",
        ),
        (
            ["clip,first,last", "a,1,3", "b,,"],
            "labels of a must lie within frames 0 to 2 .* 1 to 3",
        ),
        (["clip,first,last", "a,2,1", "b,,"], "got 2 to 1 in line 2"),
        (["clip,first,last", "a,-1,1", "b,,"], "got -1 to 1"),
        (["clip,frame,label", "a,0,1"], "misses b"),
        (["clip,frame,label", "a,0,0", "b,0,1"], "a must be one per frame, .* has 1 .* have 3"),
        (["clip,frame,label", "a,0,0", "a,0,1", "b,0,1"], "line 3 of .* repeats 0 of a"),
        (
            ["clip,frame,label", "a,0,0", "a,1,2", "b,0,1"],
            "label must be 0 or 1, got '2' in line 3",
        ),
        (["clip,frame,label", "a,0,", "b,0,1"], "label must be 0 or 1, got ''"),
        (["clip,frame,label", "a,x,0", "b,0,1"], "frame must be a whole number, got 'x'"),
        (["clip,frame,label", "a,1,0", "a,2,0", "a,3,0", "b,0,1"], "a must be 0 to 2 .* has 3"),
        (["clip,frame,label", "a,-1,0", "a,1,0", "a,2,0", "b,0,1"], "a must be 0 to 2 .* has -1"),
    ],
)
def test_tables_that_do_not_fit_are_refused(rows: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        read_table(write(tmp_path / "t.csv", *rows), {"a": 3, "b": 1})


def test_a_table_without_a_byte_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").touch()
    with pytest.raises(UserError, match="has none"):
        read_table(tmp_path / "t.csv", {"a": 3})


def test_a_table_of_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"clip,first,last\n\xff\xfe,1,2\n")
    with pytest.raises(UserError, match="must be UTF-8 text"):
        read_table(tmp_path / "t.csv", {"a": 3})
