"""A model that another OpenCV made is scored, and that is reported."""

from pathlib import Path

import cv2
import pytest

from tests.small_footage import small_model
from tlae.model_file import load_model, save_model
from tlae.versions import note_other_opencv, versions


@pytest.mark.parametrize(
    ("made_with", "is_noted"),
    [
        ({"opencv": "2.4.1"}, True),
        ({"opencv": cv2.__version__}, False),
        ({"torch": "2.0"}, False),
        (None, False),
        ({"opencv": 4}, False),
    ],
)
def test_another_major_version_is_noted(
    made_with: object, is_noted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    note_other_opencv(Path("gate/model.safetensors"), made_with)
    assert ("gate/model.safetensors was made with OpenCV 2.4.1" in caplog.text) is is_noted


def test_a_model_file_names_its_opencv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "m.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(cv2, "__version__", "1.9.0")
        assert versions()["opencv"] == "1.9.0"
        save_model(small_model(), path)
    load_model(path)
    assert "made with OpenCV 1.9.0" in caplog.text
