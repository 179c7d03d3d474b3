import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from tests.small_footage import SIZE_HW, small_model
from tlae.cli import main
from tlae.footage.images import Unreadable, decode_image, to_grey_levels
from tlae.footage.levels import look_at_depths
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import open_store
from tlae.model_file import load_model, save_model
from tlae.workflows.footage_notes import note_other_depth, note_other_shape
from tlae.workflows.named_footage import open_saved

BLOB = (slice(10, 18), slice(10, 18))


def thermal(number: int, blob: int = 0) -> np.ndarray:
    counts = 29_000 + np.random.default_rng(number).normal(0, 10, SIZE_HW)
    counts[BLOB] += blob
    return counts.astype(np.uint16)


def write(root: Path, *pictures: np.ndarray, suffix: str = ".png") -> Path:
    root.mkdir()
    for number, counts in enumerate(pictures):
        Pillow.fromarray(counts).save(root / f"{number:03d}{suffix}")
    return root


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_warm_blob_stands_out_in_what_the_net_sees(tmp_path: Path, suffix: str) -> None:
    normal = open_footage(str(write(tmp_path / "a", *map(thermal, range(20)), suffix=suffix)))
    depths = look_at_depths(normal)
    assert depths.are_deep
    assert depths.levels is not None
    pictures = thermal(30), thermal(31, blob=150)
    odd = open_footage(str(write(tmp_path / "b", *pictures, suffix=suffix)))
    store = open_store(odd, Preprocessing(SIZE_HW, 1, depths.levels), tmp_path / "cache")
    calm, warm = (float(frame[BLOB].mean()) for frame in store.frames())
    assert warm - calm > 60
    assert {frame.state for frame in odd.with_levels(depths.levels).frames()} == {"ok"}


def test_floating_point_pictures_are_mapped_and_what_is_no_number_is_filled() -> None:
    counts = np.array([[0.0, 1.0, 2.0], [np.nan, np.inf, -np.inf]])
    grey = to_grey_levels(counts, (0.0, 2.0))
    assert grey.tolist() == [[0, 128, 255], [128, 255, 0]]
    with pytest.raises(Unreadable, match="no finite pixel"):
        to_grey_levels(np.full((2, 2), np.nan), (0.0, 2.0))


def test_8_bit_footage_is_as_it_was(tmp_path: Path) -> None:
    picture = thermal(1).astype(np.uint8)
    footage = open_footage(str(write(tmp_path / "a", picture)))
    depths = look_at_depths(footage)
    assert (depths.pictures, depths.deep, depths.levels) == (1, 0, None)
    data = (tmp_path / "a/000.png").read_bytes()
    np.testing.assert_array_equal(decode_image(data, None, (0, 9))[0], decode_image(data)[0])


def test_levels_are_kept_in_the_model_file(tmp_path: Path) -> None:
    model = small_model()
    preprocessing = Preprocessing(SIZE_HW, 1, (28_900.0, 29_100.0))
    detector = replace(model.detector, preprocessing=preprocessing)
    save_model(replace(model, detector=detector), tmp_path / "m.safetensors")
    assert load_model(tmp_path / "m.safetensors").detector.preprocessing == preprocessing


def test_another_depth_than_the_models_is_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deep = open_footage(str(write(tmp_path / "deep", thermal(0))))
    flat = open_footage(str(write(tmp_path / "flat", thermal(0).astype(np.uint8))))
    note_other_depth(deep, (0.0, 1.0))
    note_other_depth(flat, None)
    assert caplog.messages == []
    note_other_depth(deep, None)
    note_other_depth(flat, (0.0, 1.0))
    first, second = caplog.messages
    assert "have 16 bits or floating-point numbers, the model learnt from 8 bits" in first
    assert "have 8 bits, the model learnt from 16 bits" in second


def test_a_warm_blob_raises_the_score_and_is_rendered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    normal = write(tmp_path / "normal", *map(thermal, range(40)))
    odd = write(tmp_path / "odd", *(thermal(n, blob=150 * (n == 105)) for n in range(100, 110)))
    places = [f"paths.{name}={tmp_path}/{name}" for name in ("checkpoints", "scores", "cache")]
    train = ["train", f"footage={normal}", "name=run", "model=running_median", *places]
    assert main([*train, "footage.size_hw=[32,32]", "trainer.accelerator=cpu"]) == 0
    assert "counts 289" in capsys.readouterr().out
    model = f"model_file={tmp_path}/checkpoints/run/model.safetensors"
    assert main(["score", f"footage={odd}", model, "name=s", "device=cpu", *places]) == 0
    assert "note: pictures" not in capsys.readouterr().out
    table = pd.read_parquet(tmp_path / "scores/s/scores.parquet")
    assert table["raw"].idxmax() == 5
    assert table["raw"][5] > 1.4 * table["raw"][:5].max()
    summary = json.loads((tmp_path / "scores/s/summary.json").read_text(encoding="utf-8"))
    (clip,) = open_saved(summary["footage"]).clips
    assert load_model(Path(model.partition("=")[2])).source_hw == SIZE_HW
    image = list(clip.frames())[5].image
    assert image is not None
    assert image[BLOB].mean() > image.mean() + 60


def test_another_aspect_ratio_than_in_training_is_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    footage = open_footage(str(write(tmp_path / "a", np.zeros((48, 64), np.uint8))))
    store = open_store(footage, Preprocessing(SIZE_HW, 1), tmp_path / "cache")
    note_other_shape(store, None)
    note_other_shape(store, (96, 128))
    assert caplog.messages == []
    note_other_shape(store, (48, 85))
    assert "have 64x48 pixels, the model learnt from 85x48" in caplog.text


def test_grey_pictures_among_colour_ones_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    colour = np.zeros((32, 32, 3), np.uint8)
    colour[:16, :, 2] = 200
    night = np.full((32, 32, 3), 90, np.uint8)
    mixed = write(tmp_path / "a", colour, colour, night[..., 0])
    note_other_depth(open_footage(str(mixed)), None)
    assert "1 of the 3 pictures looked at are grey" in caplog.text
    caplog.clear()
    note_other_depth(open_footage(str(write(tmp_path / "b", colour, colour, night))), None)
    assert not caplog.text  # every camera sees grey nights
