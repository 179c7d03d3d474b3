from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.small_descriptors import GROUP, two_groups, write_labels, write_store
from tlae.errors import UserError
from tlae.explorer.collection import open_collection


def test_columns_follow_the_clock(tmp_path: Path) -> None:
    write_store(tmp_path)
    columns = open_collection(tmp_path / "photos.desc").columns
    assert columns["hour"][[0, 18]].tolist() == [6.5, 0.5]
    assert columns["day"][[0, 24]].tolist() == pytest.approx([6.5 / 24, 1 + 6.5 / 24])


def test_without_times_there_are_no_hours(tmp_path: Path) -> None:
    write_store(tmp_path, times=False)
    collection = open_collection(tmp_path / "photos.desc")
    assert list(collection.columns) == ["position"]
    assert collection.item(3)["taken_at"] is None


def test_labels_are_matched_by_item_and_not_by_position(tmp_path: Path) -> None:
    described = write_store(tmp_path)
    path = write_labels(tmp_path / "labels.csv", described, list(range(2 * GROUP)))
    table = pd.read_parquet(path).sample(frac=1, random_state=0)
    table.to_csv(path, index=False)
    found = open_collection(tmp_path / "photos.desc", labels=path)
    assert found.labels.tolist() == list(range(2 * GROUP))
    np.testing.assert_allclose(found.scores["score"], np.linspace(0, 1, 2 * GROUP), atol=1e-6)


def test_labels_of_other_items_are_refused(tmp_path: Path) -> None:
    described = write_store(tmp_path)
    path = write_labels(tmp_path / "labels.parquet", described, [0] * 2 * GROUP)
    pd.read_parquet(path).iloc[5:].to_parquet(path)
    with pytest.raises(UserError) as refused:
        open_collection(tmp_path / "photos.desc", labels=path)
    assert "labels must be of the described items" in str(refused.value)
    assert "without 5 of 60 (first: " in str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "labels must be an existing folder or table"),
        ("path,clip,frame\n", "labels must have a column label"),
        ("", "labels must be a Parquet or CSV table"),
    ],
)
def test_what_is_no_label_table_is_refused(tmp_path: Path, content: str | None, words: str) -> None:
    write_store(tmp_path)
    path = tmp_path / "labels.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as refused:
        open_collection(tmp_path / "photos.desc", labels=path)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_notes_tell_of_what_cannot_be_shown(tmp_path: Path) -> None:
    values = two_groups()
    values[4] = np.nan
    (tmp_path / "a").mkdir()
    write_store(tmp_path / "a", values)
    lost = open_collection(tmp_path / "a/photos.desc")
    assert lost.labels[4] == -1
    assert lost.notes[0].startswith("1 of 60 items have descriptors that are not finite")
    for count, words in ((1, "There is one item only"), (5, "All descriptors are equal")):
        (tmp_path / str(count)).mkdir()
        write_store(tmp_path / str(count), np.ones((count, 3)))
        assert open_collection(tmp_path / f"{count}/photos.desc").notes[0].startswith(words)
