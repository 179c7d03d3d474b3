import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.image_sets.test_descriptor_store import items, write
from tlae.errors import UserError
from tlae.image_sets.descriptor_import import import_descriptors, read_descriptors, read_names
from tlae.image_sets.descriptor_store import Descriptors, DescriptorWriter
from tlae.image_sets.safe_pickle import RefusedPickle, read_pickle

VALUES = np.random.default_rng(0).random((4, 3)).astype(np.float32)
NAMES = [f"{n}.png" for n in range(4)]


def as_table() -> pd.DataFrame:
    return pd.DataFrame(VALUES, columns=["a", "b", "c"]).assign(file=NAMES)


def as_pickle(path: Path, held: object, protocol: int = 4) -> None:
    path.write_bytes(pickle.dumps(held, protocol=protocol))


WRITERS = {
    "x.npy": lambda path: np.save(path, VALUES),
    "x.npz": lambda path: np.savez(path, features=VALUES, names=np.array(NAMES)),
    "x.csv": lambda path: as_table().to_csv(path, index=False),
    "x.parquet": lambda path: as_table().to_parquet(path),
    "lists.parquet": lambda path: pd.DataFrame({"file": NAMES, "v": list(VALUES)}).to_parquet(path),
    "dict.pkl": lambda path: as_pickle(path, dict(zip(NAMES, VALUES[:, None], strict=True))),
    "old.pkl": lambda path: as_pickle(path, dict(zip(NAMES, VALUES, strict=True)), protocol=0),
    "new.pkl": lambda path: as_pickle(path, (NAMES, VALUES), protocol=5),
    "big_endian.pkl": lambda path: as_pickle(path, (np.array(NAMES), VALUES.astype(">f8"))),
    "rows.pkl": lambda path: as_pickle(path, VALUES.tolist()),
}


def imported(path: Path, out: Path, names: list[str] | None = None) -> Descriptors:
    read = read_descriptors(path)
    with DescriptorWriter(out, "theirs", read.values.shape[1], {}) as writer:
        import_descriptors(read, names, writer)
        return writer.finish()


@pytest.mark.parametrize("file", WRITERS)
def test_files_of_every_kind_are_read(tmp_path: Path, file: str) -> None:
    WRITERS[file](tmp_path / file)
    read = read_descriptors(tmp_path / file)
    np.testing.assert_allclose(read.values, VALUES, rtol=1e-6)
    assert read.names == (None if file in ("x.npy", "rows.pkl") else NAMES)


def test_rows_go_by_name_to_the_pictures_of_a_store(tmp_path: Path) -> None:
    write(tmp_path / "s", "ours", np.ones((4, 2), np.float32), items(0, 4))
    np.save(tmp_path / "x.npy", VALUES)
    found = imported(tmp_path / "x.npy", tmp_path / "s", ["3.png", "else", "0.png", "1.png"])
    expected = np.stack([VALUES[2], VALUES[3], np.full(3, np.nan), VALUES[0]])
    np.testing.assert_array_equal(found.values, expected)
    with pytest.raises(UserError, match=r"none is: 'q0' there, '0\.png' here"):
        imported(tmp_path / "x.npy", tmp_path / "s", ["q0", "q1", "q2", "q3"])


def test_without_names_rows_must_be_as_many(tmp_path: Path) -> None:
    write(tmp_path / "s", "ours", np.ones((2, 2), np.float32), items(0, 2))
    np.save(tmp_path / "x.npy", VALUES)
    with pytest.raises(UserError, match=r"described images \(2\), got 4"):
        imported(tmp_path / "x.npy", tmp_path / "s")


def test_rows_that_are_not_finite_become_nan(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[1.0, 2.0], [np.inf, 0.0]]))
    assert list(imported(tmp_path / "x.npy", tmp_path / "s").usable()) == [True, False]


class _Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def test_a_foreign_pickle_runs_nothing(tmp_path: Path) -> None:
    as_pickle(tmp_path / "evil.pkl", {"a": _Evil(tmp_path / "ran")})
    with pytest.raises(UserError, match=r"holds \w+\.system, which is not read"):
        read_descriptors(tmp_path / "evil.pkl")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps(pd.DataFrame({"a": [1]})), "pandas"),
        (pickle.dumps(np.zeros(2, [("a", "f4")])), "type|fields"),
        (b"cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"),
        # a setting of NumPy's own reader may not be changed by the file
        (b"cnumpy._core.multiarray\nscalar\n(dS'x'\nI1\nsb.", "changes to a function"),
        # a type whose flags say that numbers are pointers
        (pickle.dumps(np.dtype("f8")).replace(b"f8", b"V8"), "type 'V8'"),
    ],
)
def test_what_a_pickle_may_not_name(content: bytes, words: str) -> None:
    with pytest.raises(RefusedPickle, match=words):
        read_pickle(content)


def test_an_array_that_claims_more_than_it_holds_is_refused() -> None:
    content = pickle.dumps(np.zeros((2, 3), np.float32), protocol=2)
    larger = content.replace(b"K\x02K\x03\x86", b"K\x02K\x63\x86")
    assert larger != content
    with pytest.raises(ValueError, match="reshape"):
        read_pickle(larger)


@pytest.mark.parametrize(
    ("file", "make", "words"),
    [
        ("mixed.pkl", lambda p: as_pickle(p, {"a": [1, 2], "b": [1]}), "rows of one length"),
        ("junk.pkl", lambda p: p.write_bytes(b"junk"), "cannot be read as .pkl"),
        ("o.npy", lambda p: np.save(p, np.array([{}], object), allow_pickle=True), "cannot be"),
        ("cube.npy", lambda p: np.save(p, np.zeros((2, 2, 2))), r"shape \(2, 2, 2\)"),
        ("two.npz", lambda p: np.savez(p, a=VALUES, b=VALUES), "one table of numbers, got 2"),
        ("t.csv", lambda p: p.write_text("file,a\nx,1\ny,z\n"), "text in a"),
        ("n.csv", lambda p: p.write_text("a,b\n1,2\n"), "column with the names"),
        ("x.txt", lambda p: p.write_text(""), "must be one of"),
        ("absent.npy", lambda p: None, "existing file"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, file: str, make: object, words: str) -> None:
    make(tmp_path / file)  # type: ignore[operator]
    with pytest.raises(UserError, match=words):
        read_descriptors(tmp_path / file)


def test_names_must_fit(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", VALUES)
    (tmp_path / "ids.txt").write_text("\n".join(NAMES))
    names = read_names(tmp_path / "ids.txt")
    assert list(imported(tmp_path / "x.npy", tmp_path / "s", names).ids["path"]) == NAMES
    with pytest.raises(UserError, match="each of the 4 rows, got 3"):
        imported(tmp_path / "x.npy", tmp_path / "t", names[:3])
    with pytest.raises(UserError, match="'a' stands there twice"):
        imported(tmp_path / "x.npy", tmp_path / "u", ["a", "b", "a", "c"])
