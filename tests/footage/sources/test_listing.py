import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlae.footage.sources.listing import folder_key, is_left_out, natural_key, walk


def test_numbers_sort_as_numbers() -> None:
    names = ["img10.jpg", "img2.jpg", "IMG1.jpg", "img02.jpg", "a.jpg", "img2b.jpg"]
    expected = ["a.jpg", "IMG1.jpg", "img2.jpg", "img02.jpg", "img2b.jpg", "img10.jpg"]
    assert sorted(names, key=natural_key)[:2] == expected[:2]
    assert sorted(names, key=natural_key)[-2:] == expected[-2:]


@given(st.lists(st.integers(0, 10**12), min_size=2, unique=True), st.text("ab_-²", max_size=3))
def test_natural_order_is_numeric_order(numbers: list[int], prefix: str) -> None:
    names = [f"{prefix}{number}.jpg" for number in numbers]
    ordered = sorted(names, key=natural_key)
    assert ordered == [f"{prefix}{number}.jpg" for number in sorted(numbers)]


@given(st.lists(st.text(max_size=12), unique=True))
def test_natural_order_is_total(names: list[str]) -> None:
    ordered = sorted(names, key=natural_key)
    names.reverse()
    assert sorted(names, key=natural_key) == ordered


def test_very_long_numbers_sort_too() -> None:
    assert natural_key("9" * 6000) < natural_key("1" + "0" * 6000)


def test_folders_sort_level_by_level() -> None:
    folders = ["day10", "day2/b", "", "day2", "day2/a10", "day2/a9"]
    expected = ["", "day2", "day2/a9", "day2/a10", "day2/b", "day10"]
    assert sorted(folders, key=folder_key) == expected


def test_hidden_and_label_folders_are_left_out() -> None:
    assert is_left_out("a/Test001_gt")
    assert is_left_out(".git/a")
    assert is_left_out("__MACOSX")
    assert not is_left_out("./Test001")
    assert not is_left_out("")


def test_walk_keeps_to_footage(tmp_path: Path) -> None:
    for name in (
        "b.jpg",
        "._b.jpg",
        ".DS_Store",
        "notes.txt",
        "clip.MP4",
        "one/1.tif",
        "one/deep/er/1.PNG",
        "one_gt/1.bmp",
        "__MACOSX/1.jpg",
        ".thumbs/1.jpg",
        "empty/labels.m~",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    tree = {folder: sorted(names) for folder, names in walk(tmp_path).items()}
    assert tree == {"": ["b.jpg", "clip.MP4"], "one": ["1.tif"], "one/deep/er": ["1.PNG"]}


def test_walk_follows_links_but_not_in_circles(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.jpg").touch()
    (tmp_path / "a/back").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert walk(tmp_path) == {"a": ["1.jpg"], "b": ["1.jpg"]}


def test_walk_logs_folders_it_may_not_read(
    tmp_path: Path, shut_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "1.jpg").touch()
    assert walk(tmp_path) == {"": ["1.jpg"]}
    assert "shut left out: Permission denied" in caplog.text
    with pytest.raises(PermissionError):
        walk(shut_folder)
