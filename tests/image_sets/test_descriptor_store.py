import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.kill import Killed, killed_before
from tlae.errors import UserError
from tlae.image_sets.descriptor_facts import is_described
from tlae.image_sets.descriptor_store import Descriptors, DescriptorWriter, open_descriptors


def items(first: int, end: int, unreadable: tuple[int, ...] = ()) -> pd.DataFrame:
    numbers = range(first, end)
    return pd.DataFrame(
        {
            "path": [f"{n}.png" for n in numbers],
            "clip": "c",
            "frame": list(numbers),
            "taken_at": np.full(end - first, "NaT", "datetime64[us]"),
            "state": ["damaged" if n in unreadable else "ok" for n in numbers],
        }
    )


def write(
    folder: Path, name: str, values: np.ndarray, table: pd.DataFrame, dtype: str = "float32"
) -> Descriptors:
    with DescriptorWriter(folder, name, values.shape[1], {}, dtype) as writer:
        writer.append(table, values)
        return writer.finish()


def test_rows_stand_beside_their_pictures(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    found = write(tmp_path / "s.desc", "x", values, items(0, 4, unreadable=(1,)))
    assert list(found.ids["path"]) == ["0.png", "2.png", "3.png"]
    np.testing.assert_array_equal(found.values, values)
    table = pd.read_parquet(tmp_path / "s.desc" / "ids.parquet")
    assert list(table["row"]) == [0, -1, 1, 2]
    assert found.left_out() == {"damaged": 1}


def test_values_are_mapped_and_plain_numpy(tmp_path: Path) -> None:
    found = write(tmp_path / "s.desc", "x", np.ones((2, 3), np.float32), items(0, 2), "float16")
    assert isinstance(found.values, np.memmap)
    assert np.load(tmp_path / "s.desc" / "x.npy").dtype == np.float16


def test_an_unfinished_one_with_other_facts_starts_anew(tmp_path: Path) -> None:
    with DescriptorWriter(tmp_path, "x", 2, {"seed": 1}) as writer:
        writer.append(items(0, 2), np.ones((2, 2), np.float32))
    with DescriptorWriter(tmp_path, "x", 2, {"seed": 2}) as writer:
        assert writer.items == 0


def test_a_second_descriptor_joins_and_gets_nan_where_it_lacks_a_picture(tmp_path: Path) -> None:
    write(tmp_path, "x", np.ones((2, 2), np.float32), items(0, 3, unreadable=(1,)))
    second = write(tmp_path, "y", np.ones((1, 5), np.float32), items(0, 3, unreadable=(1, 2)))
    assert list(second.usable()) == [True, False]
    assert list(open_descriptors(tmp_path, "x").usable()) == [True, True]
    with pytest.raises(UserError, match=r"holds several; give descriptor=\.\.\. one of: x, y"):
        open_descriptors(tmp_path)
    with pytest.raises(UserError, match="no descriptor 'z'; known: x, y"):
        open_descriptors(tmp_path, "z")


def test_too_large_for_float16_becomes_nan_and_is_counted(tmp_path: Path) -> None:
    with DescriptorWriter(tmp_path, "x", 2, {}, "float16") as writer:
        assert writer.append(items(0, 2), np.array([[1, 2], [1, 1e6]], np.float32)) == 1
        assert writer.finish().left_out() == {"no finite numbers": 1}


def test_other_pictures_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "x", np.ones((2, 2), np.float32), items(0, 2))
    with pytest.raises(UserError, match="holds descriptors of other pictures"):
        write(tmp_path, "y", np.ones((2, 2), np.float32), items(5, 7))
    with pytest.raises(UserError, match="2 of them, not 1"):
        write(tmp_path, "y", np.ones((1, 2), np.float32), items(0, 1))


def test_nothing_readable_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"got none \(2 x damaged\)"):
        write(tmp_path / "s", "x", np.ones((0, 2), np.float32), items(0, 2, unreadable=(0, 1)))
    assert not (tmp_path / "s" / "x.part").exists()
    assert not (tmp_path / "s" / "ids.parquet").exists()


@pytest.mark.parametrize(
    ("name", "dtype", "words"),
    [("../x", "float32", "usable as a file name"), ("x", "int8", "dtype must be one of")],
)
def test_bad_names_and_types_are_refused(tmp_path: Path, name: str, dtype: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        DescriptorWriter(tmp_path, name, 2, {}, dtype)


def test_wrong_dimensions_are_refused(tmp_path: Path) -> None:
    with DescriptorWriter(tmp_path, "x", 3, {}) as writer, pytest.raises(UserError, match="3 dim"):
        writer.append(items(0, 2), np.ones((2, 2), np.float32))


@pytest.mark.parametrize("text", ["[]", "{", "3", ""])
def test_facts_that_are_no_object_are_told(text: str, tmp_path: Path) -> None:
    write(tmp_path, "x", np.ones((2, 2), np.float32), items(0, 2))
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"x\.json .*remove x\.npy and describe again"):
        open_descriptors(tmp_path)
    with pytest.raises(UserError, match=r"x\.json .*remove x\.npy and describe again"):
        is_described(tmp_path, "x", {}, overwrite=False)


def test_damage_is_told(tmp_path: Path) -> None:
    write(tmp_path, "x", np.ones((2, 2), np.float32), items(0, 2))
    os.truncate(tmp_path / "x.npy", 100)
    with pytest.raises(UserError, match="damaged"):
        open_descriptors(tmp_path)
    with pytest.raises(UserError, match="holds descriptors"):
        open_descriptors(tmp_path / "none")


def test_a_finished_one_is_known_by_its_facts(tmp_path: Path) -> None:
    facts = {"images": {"fingerprint": "a"}, "settings": {"tiles_hw": None}}
    with DescriptorWriter(tmp_path, "x", 2, facts) as writer:
        writer.append(items(0, 2), np.ones((2, 2), np.float32))
        writer.finish()
    other = {"images": {"fingerprint": "b"}, "settings": {"tiles_hw": None}}
    assert is_described(tmp_path, "x", facts, overwrite=False)
    assert not is_described(tmp_path, "x", other, overwrite=True)
    with pytest.raises(UserError, match="with other images"):
        is_described(tmp_path, "x", other, overwrite=False)
    with pytest.raises(UserError, match="other images or tiles"):
        is_described(tmp_path, "y", other, overwrite=False)


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    with (
        DescriptorWriter(tmp_path, "x", 2, {}),
        pytest.raises(UserError, match="another process"),
        DescriptorWriter(tmp_path, "y", 2, {}),
    ):
        pass


@pytest.mark.parametrize("step", range(12))
def test_killed_before_any_step_of_replacing_one_never_tells_facts_of_other_values(
    step: int, tmp_path: Path
) -> None:
    def describe(seed: int) -> Descriptors:
        with DescriptorWriter(tmp_path / "s", "x", 2, {"seed": seed}) as writer:
            if not writer.items:
                writer.append(items(0, 2), np.full((2, 2), seed, np.float32))
            return writer.finish()

    describe(1)
    with suppress(Killed), killed_before(step):
        describe(2)
    if (tmp_path / "s/x.json").is_file():
        found = open_descriptors(tmp_path / "s", "x")
        assert (found.values == found.facts["seed"]).all()
    assert (describe(2).values == 2).all()


def test_an_array_that_tlae_never_wrote_stays(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(UserError, match="is not a descriptor of tlae"):
        write(tmp_path, "x", np.ones((2, 2), np.float32), items(0, 2))
    assert np.load(tmp_path / "x.npy").tolist() == [0, 0, 0]
