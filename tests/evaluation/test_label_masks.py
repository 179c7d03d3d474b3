from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from scipy.io import savemat

from tlae.errors import UserError
from tlae.evaluation.labels import mat_files
from tlae.evaluation.labels.fit import Truths
from tlae.evaluation.labels.masks import find_mask_folders, read_mask, read_mask_folders
from tlae.evaluation.labels.mat_files import Volume, read_mat_files, read_volume

SPECK = np.zeros((4, 6), np.uint8)
SPECK[1, 2:4] = 1
EMPTY = np.zeros_like(SPECK)


def write_masks(folder: Path, masks: Sequence[np.ndarray], suffix: str = ".png") -> None:
    folder.mkdir(parents=True)
    for number, mask in enumerate(masks, start=1):
        Pillow.fromarray(mask).save(folder / f"{number}{suffix}")


def cell(masks: Sequence[np.ndarray]) -> np.ndarray:
    """A MATLAB cell, 1xN."""
    array = np.empty((1, len(masks)), object)
    array[0, :] = list(masks)
    return array


def read_folder(root: Path, lengths: dict[str, int]) -> Truths:
    return read_mask_folders(find_mask_folders(root), lengths, root)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".TIF"])
def test_non_zero_is_anomalous(suffix: str, tmp_path: Path) -> None:
    write_masks(tmp_path / "a_gt", [EMPTY, SPECK, *[EMPTY] * 7, SPECK], suffix)  # 10 after 9
    truth = read_folder(tmp_path, {"a": 10})["a"]
    assert np.flatnonzero(truth.anomalous).tolist() == [1, 9]
    assert truth.size_hw == (4, 6)
    assert truth.regions_of is not None
    assert truth.regions_of(0) == []
    (region,) = truth.regions_of(9)
    assert region.box == (2, 1, 2, 1)
    np.testing.assert_array_equal(truth.mask_of(1), SPECK > 0)


@settings(max_examples=20, deadline=None)
@given(bits=st.lists(st.integers(0, 2**12 - 1), min_size=1, max_size=6))
def test_pictures_and_matlab_files_give_back_their_masks(
    bits: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    masks = [np.array([n >> k & 1 for k in range(12)], np.uint8).reshape(3, 4) for n in bits]
    assume(min(mask.mean() for mask in masks) <= 0.9)  # more is taken for footage
    root = tmp_path_factory.mktemp("masks")
    write_masks(root / "clip1", masks)
    savemat(root / "1_label.mat", {"volLabel": cell(masks)})
    savemat(root / "v1.mat", {"vol": np.stack(masks, axis=-1)})
    lengths = {"clip1": len(masks)}
    for truths in (
        read_folder(root, lengths),
        read_mat_files([root / "1_label.mat"], lengths, root),
        read_mat_files([root / "v1.mat"], lengths, root),
    ):
        truth = truths["clip1"]
        assert truth.anomalous.tolist() == [n > 0 for n in bits]
        for frame, mask in enumerate(masks):
            np.testing.assert_array_equal(truth.mask_of(frame), mask > 0)


@pytest.mark.parametrize("kind", ["1", "L", "I;16", "RGB", "RGBA", "LA", "P"])
def test_every_kind_of_picture_is_a_mask(kind: str, tmp_path: Path) -> None:
    picture = Pillow.fromarray(SPECK * 255)
    if kind == "I;16":
        picture = Pillow.fromarray(SPECK.astype(np.uint16))  # 1 of 65535
    elif kind == "P":  # white stands first in the palette: numbers in the file are not brightness
        picture = Pillow.fromarray(np.uint8(1) - SPECK, "L")
        picture.putpalette([255, 255, 255, 0, 0, 0])
    else:
        picture = picture.convert(kind)  # alpha is opaque
    picture.save(tmp_path / "m.png")
    with Pillow.open(tmp_path / "m.png") as stored:
        assert stored.mode == kind
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), SPECK > 0)


def test_hidden_files_backups_and_other_kinds_are_no_masks(tmp_path: Path) -> None:
    write_masks(tmp_path / "a_gt", [EMPTY, SPECK])
    for name in (".DS_Store", "._1.png", "1.png~", "Thumbs.db", "notes.txt", "x.jpg"):
        (tmp_path / "a_gt" / name).write_bytes(b"x")
    write_masks(tmp_path / ".trash_gt", [SPECK])
    assert list(read_folder(tmp_path, {"a": 2})) == ["a"]


def test_folders_are_found_by_name(tmp_path: Path) -> None:
    for name in ("t10", "t2", "deep/t1"):
        write_masks(tmp_path / name, [SPECK])
    (tmp_path / "notes").mkdir()
    assert list(find_mask_folders(tmp_path)) == ["t2", "t10", "deep/t1"]
    assert find_mask_folders(tmp_path, beside_footage=True) == {}
    (tmp_path / "t2_gt").mkdir()
    (tmp_path / "deep" / "t1_gt").mkdir()
    assert list(find_mask_folders(tmp_path)) == ["t2", "deep/t1"]


def test_mask_folders_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_masks(tmp_path / "a_gt", [EMPTY, SPECK])
    with pytest.raises(
        UserError, match=r"labels of a must be one per frame, .*a_gt has 2 .* have 3"
    ):
        read_folder(tmp_path, {"a": 3})
    with pytest.raises(UserError, match=r"scores \(b, c, d and 2 more\), .* names a;"):
        read_folder(tmp_path, dict.fromkeys("bcdef", 2))
    Pillow.fromarray(SPECK[:3]).save(tmp_path / "a_gt" / "2.png")
    with pytest.raises(UserError, match=r"one size, .* has .* \(4, 6\), and \(3, 6\) at frame 1"):
        read_folder(tmp_path, {"a": 2})
    whole = (tmp_path / "a_gt" / "1.png").read_bytes()
    for bad in (b"", b"hello", whole[:44]):
        (tmp_path / "a_gt" / "2.png").write_bytes(bad)
        with pytest.raises(UserError, match=r"readable pictures, .*2\.png is not"):
            read_folder(tmp_path, {"a": 2})


def test_matlab_files_match_clips_by_number(tmp_path: Path) -> None:
    for number, masks in ((1, [EMPTY, SPECK]), (2, [SPECK]), (10, [EMPTY])):
        savemat(tmp_path / f"{number}_label.mat", {"volLabel": cell(masks)}, do_compression=True)
    files = [tmp_path / f"{number}_label.mat" for number in (1, 2, 10)]
    truths = read_mat_files(files, {"02": 1, "10": 1, "01": 2}, tmp_path)
    assert {clip: truth.anomalous.tolist() for clip, truth in truths.items()} == {
        "01": [False, True],
        "02": [True],
        "10": [False],
    }
    with pytest.raises(UserError, match=r"names 10_label\.mat; score them too"):
        read_mat_files(files, {"01": 2, "02": 1}, tmp_path)
    with pytest.raises(UserError, match=r"labels of 01 must be one per frame, .* has 2 .* have 4"):
        read_mat_files(files, {"01": 4, "02": 1, "10": 1}, tmp_path)
    with pytest.raises(UserError, match=r"clips .* must carry a number, .* got street"):
        read_mat_files(files, {"street": 2}, tmp_path)
    with pytest.raises(UserError, match=r"must differ in their last number, .* got 01 and cam_1"):
        read_mat_files(files, {"01": 2, "cam_1": 2}, tmp_path)


def test_one_clip_of_matlab_masks_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        savemat(tmp_path / f"{number}.mat", {"vol": np.stack([SPECK] * 3, axis=-1)})
    loaded: list[str] = []

    def load(path: Path) -> Volume:
        loaded.append(path.name)
        return read_volume(path)

    monkeypatch.setattr(mat_files, "read_volume", load)
    truths = read_mat_files([tmp_path / "1.mat", tmp_path / "2.mat"], {"a1": 3, "a2": 3}, tmp_path)
    assert loaded == ["1.mat", "2.mat"]
    for clip in ("a1", "a2"):
        for frame in range(3):
            truths[clip].mask_of(frame)
    assert loaded == ["1.mat", "2.mat", "1.mat", "2.mat"]


def test_foreign_matlab_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "1.mat"
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"  # HDF5 follows
    path.write_bytes(header + b"\x89HDF\r\n\x1a\n" + bytes(512))
    with pytest.raises(UserError, match=r"up to version 7, got version 7\.3; in MATLAB: .*'-v7'"):
        read_volume(path)
    for bad in (b"", b"hello" * 100):
        path.write_bytes(bad)
        with pytest.raises(UserError, match="must be a MATLAB file, it cannot be read"):
            read_volume(path)
    savemat(path, {"labels": SPECK})
    with pytest.raises(UserError, match="must hold masks as volLabel or vol, it holds neither"):
        read_volume(path)
    for value in ("text", np.zeros((2, 2, 2, 2)), {"a": 1}, cell([np.zeros((2, 2, 2))]), cell([])):
        savemat(path, {"vol": value})
        with pytest.raises(
            UserError, match=r"a cell of \(H, W\) masks or an array \(H, W, N\), got"
        ):
            read_volume(path)


def test_a_single_mask_may_lack_its_last_axis(tmp_path: Path) -> None:
    savemat(tmp_path / "1.mat", {"vol": SPECK})
    assert [mask.tolist() for mask in read_volume(tmp_path / "1.mat")] == [SPECK.tolist()]


def test_footage_given_as_masks_is_noticed(tmp_path: Path) -> None:
    write_masks(tmp_path / "a", [np.full((4, 6), 90, np.uint8)] * 3)
    with pytest.raises(UserError, match=r"marks more than 90 % of every frame of a; is this foot"):
        read_folder(tmp_path, {"a": 3})
    flood = [np.full((4, 6), 90, np.uint8), EMPTY]  # one frame may be flooded
    write_masks(tmp_path / "other" / "b", flood)
    assert read_folder(tmp_path / "other", {"b": 2})["b"].anomalous.tolist() == [True, False]
