import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy.io import savemat

from tlae.errors import UserError
from tlae.evaluation.labels import open_labels

LENGTHS = {"t2": 3, "t1": 2}  # a score table may have any order


def write_masks(folder: Path, anomalous: list[int]) -> None:
    folder.mkdir()
    for number, value in enumerate(anomalous):
        Pillow.fromarray(np.full((4, 6), value, np.uint8)).save(folder / f"{number}.png")


def write_ranges(path: Path, *ranges: str) -> None:
    path.write_text(
        "".join(f"TestVideoFile{{end+1}}.gt_frame = [{r}];\n" for r in ranges), encoding="utf-8"
    )


def labels_of(spec: Path | str) -> list[list[int]]:
    truth = open_labels(str(spec), LENGTHS)
    assert [clip.clip for clip in truth.clips] == list(LENGTHS)
    return [clip.anomalous.astype(int).tolist() for clip in truth.clips]


def test_every_kind_gives_the_order_of_the_scores(tmp_path: Path) -> None:
    write_ranges(tmp_path / "s.m", "2:2", "1:2")
    (tmp_path / "ranges.csv").write_text("clip,first,last\nt1,1,1\nt2,0,1\n")
    (tmp_path / "frames.CSV").write_text(
        "clip,frame,label\nt1,0,0\nt1,1,1\nt2,0,1\nt2,1,1\nt2,2,0\n"
    )
    names = [f"t{clip}/{frame}.png" for clip, n in ((1, 2), (2, 3)) for frame in range(n)]
    images = [{"id": k, "file_name": n, "width": 6, "height": 4} for k, n in enumerate(names)]
    boxes = [{"image_id": k, "bbox": [0, 0, 1, 1]} for k in (1, 2, 3)]
    (tmp_path / "b.json").write_text(json.dumps({"images": images, "annotations": boxes}))
    for folder, suffix in (("gt", "_gt"), ("plain", "")):
        (tmp_path / folder).mkdir()
        write_masks(tmp_path / folder / f"t1{suffix}", [0, 1])
        write_masks(tmp_path / folder / f"t2{suffix}", [255, 1, 0])
    (tmp_path / "mat").mkdir()
    savemat(tmp_path / "mat" / "1_label.mat", {"vol": np.array([[[0, 1]]])})
    savemat(tmp_path / "mat" / "2_label.mat", {"vol": np.array([[[1, 1, 0]]])})
    for spec in ("s.m", "ranges.csv", "frames.CSV", "b.json", "gt", "plain", "mat"):
        assert labels_of(tmp_path / spec) == [[1, 1, 0], [0, 1]], spec
    assert labels_of("normal") == [[0, 0, 0], [0, 0]]


def test_ranges_say_when_and_masks_say_where(tmp_path: Path) -> None:
    write_ranges(tmp_path / "s.m", "2:2", "1:2")
    (tmp_path / "s.m~").write_text("a backup")
    (tmp_path / "._s.m").write_text("of macOS")
    write_masks(tmp_path / "t1", [9, 9])  # the footage
    write_masks(tmp_path / "t1_gt", [0, 1])
    truth = open_labels(str(tmp_path), LENGTHS)
    assert truth.notes == (
        "masks for 1 of 2 clips",
        "masks and ranges agree on all 2 frames that have masks",
    )
    assert [clip.has_regions for clip in truth.clips] == [False, True]
    write_masks(tmp_path / "t2_gt", [1, 0, 1])
    truth = open_labels(str(tmp_path), LENGTHS)
    assert truth.notes == (
        "masks and ranges disagree on 2 frames of t2 (first: 1, counted from 0): the ranges decide",
    )
    assert truth.clips[0].anomalous.tolist() == [True, True, False]
    assert truth.clips[0].mask_of(2).all()
    (tmp_path / "t2_gt" / "1.png").write_bytes((tmp_path / "t2_gt" / "0.png").read_bytes())
    Pillow.new("L", (6, 4)).save(tmp_path / "t2_gt" / "2.png")
    notes = open_labels(str(tmp_path), LENGTHS).notes
    assert notes == ("masks and ranges agree on all 5 frames",)


def test_ranges_beside_footage_of_png_have_no_masks(tmp_path: Path) -> None:
    write_ranges(tmp_path / "s.m", "2:2", "1:2")
    write_masks(tmp_path / "t1", [9, 9])
    truth = open_labels(str(tmp_path), LENGTHS)
    assert truth.notes == ()
    assert not any(clip.has_regions for clip in truth.clips)


def test_masks_alone_must_cover_every_clip(tmp_path: Path) -> None:
    write_masks(tmp_path / "t1_gt", [0, 1])
    with pytest.raises(UserError, match=r"must name every clip that has scores, .* misses t2"):
        open_labels(str(tmp_path), LENGTHS)
    write_masks(tmp_path / "t3_gt", [0, 1])
    with pytest.raises(UserError, match="names t3; score them too or take their labels out"):
        open_labels(str(tmp_path), LENGTHS)


def test_what_is_no_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a folder of labels must hold a .m file, .* none of them"):
        open_labels(str(tmp_path), LENGTHS)
    with pytest.raises(UserError, match=r"must be `normal`, a file or a folder, got \S+: no such"):
        open_labels(str(tmp_path / "none.m"), LENGTHS)
    (tmp_path / "x.txt").touch()
    with pytest.raises(UserError, match=r"must be one of \.m, \.csv, \.json, got \S+x\.txt"):
        open_labels(str(tmp_path / "x.txt"), LENGTHS)
    for name in ("old.m", "new.m"):
        write_ranges(tmp_path / name, "1:1", "1:1")
    with pytest.raises(UserError, match=r"one \.m file, \S+ holds new\.m and old\.m; keep"):
        open_labels(str(tmp_path), LENGTHS)


def test_ped2_masks_and_ranges_agree(shared_data: Path) -> None:
    folder = shared_data / "UCSDped2" / "Test"
    lengths = {
        f"Test{n:03}": len(list((folder / f"Test{n:03}").glob("*.jpg"))) for n in range(1, 13)
    }
    truth = open_labels(str(folder), lengths)
    assert truth.notes == ("masks and ranges agree on all 2,010 frames",)
    assert (len(truth.anomalous), truth.anomalous.sum()) == (2010, 1648)
    assert {clip.size_hw for clip in truth.clips} == {(240, 360)}
    regions = 0
    for clip in truth.clips:
        assert clip.regions_of is not None
        regions += sum(len(clip.regions_of(frame)) for frame in range(len(clip.anomalous)))
    assert regions == 2411
    only_when = open_labels(str(folder / "UCSDped2.m"), lengths)
    np.testing.assert_array_equal(only_when.anomalous, truth.anomalous)
    del lengths["Test012"]
    with pytest.raises(UserError, match="has 12 clips, scores have 11"):
        open_labels(str(folder), lengths)
