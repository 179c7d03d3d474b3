"""Of a file with several pictures the first is read, and the others are counted aloud."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tlae.footage.images import further_pictures
from tlae.footage.sources import open_footage


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_further_pictures_of_a_file_are_counted(
    suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = [Image.fromarray(np.full((16, 16, 3), 40 * n, np.uint8)) for n in range(4)]
    for name, more in (("a", pictures[1:]), ("b", [])):
        path = tmp_path / f"{name}.{suffix}"
        pictures[0].save(path, save_all=bool(more), append_images=more)
    assert further_pictures((tmp_path / f"a.{suffix}").read_bytes()) == 3
    assert further_pictures((tmp_path / f"b.{suffix}").read_bytes()) == 0
    (clip,) = open_footage(str(tmp_path)).clips
    assert len(list(clip.frames())) == 2
    assert "not read: 3 further pictures (animations, pages) in 1 file, " in caplog.text
