"""From scores to pictures, through the command line."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from torch import nn

from tests.small_footage import small_model, write_clips
from tlae.cli import main
from tlae.model_file import save_model

ODD = (1, 9)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores of two clips of 96x128 pixels, one with something odd at the top right."""
    root = tmp_path_factory.mktemp("render")
    footage = write_clips(root / "n", (20, 20), odd=(ODD,), size_hw=(96, 128))
    (footage / "c0/004.png").write_bytes(b"")
    model = small_model()
    for parameter in model.detector.net.net.parameters():
        nn.init.zeros_(parameter)  # it expects the mean frame
    save_model(model, root / "m.safetensors")
    words = [f"model_file={root}/m.safetensors", f"footage={footage}", "name=s"]
    budget = ["scoring.threshold=0.5", "scoring.smooth_frames=0", "events.low=1"]
    places = [f"paths.scores={root}", f"paths.cache={root}/cache"]
    assert main(["score", *words, *budget, *places]) == 0
    return root / "s"


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name in ("h264", "libx264")
        assert stream.codec_context.pix_fmt == "yuv420p"
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]


def test_one_video_per_clip_with_every_frame_and_heat_where_it_is(scored: Path) -> None:
    assert main(["render", f"scores={scored}"]) == 0
    videos = sorted((scored / "overlay").glob("*.mp4"))
    assert [v.stem for v in videos] == ["c0", "c1"]
    frames = decoded(videos[1])
    assert len(frames) == 20
    assert len(decoded(videos[0])) == 20  # the unreadable frame is shown as such
    height = round(96 * frames[0].shape[1] / 128)
    odd, calm = (f[:height].astype(int) for f in (frames[9], frames[12]))
    width = odd.shape[1]
    place = np.s_[int(0.16 * height) : int(0.24 * height), int(0.76 * width) : int(0.86 * width)]
    redness = [(p[place][..., 0] - p[place][..., 2]).mean() for p in (odd, calm)]
    assert redness[0] > 60 > 15 > redness[1]
    assert (scored / "top_frames.png").is_file()


def test_side_by_side_is_wider(scored: Path) -> None:
    assert main(["render", f"scores={scored}", "layout=side_by_side", "clips=[c1]", "top=0"]) == 0
    assert main(["render", f"scores={scored}", "clips=[c1]", "top=0"]) == 0
    wide = decoded(scored / "side_by_side/c1.mp4")[0]
    assert wide.shape[1] > decoded(scored / "overlay/c1.mp4")[0].shape[1]


def test_events_range_and_speed_choose_frames(scored: Path) -> None:
    base = ["render", f"scores={scored}", "clips=[c1]", "top=0"]
    assert main([*base, "only_events=true", "padding_s=0.2"]) == 0
    assert len(decoded(scored / "overlay/c1.mp4")) == 5
    assert main([*base, "start_s=0.5", "end_s=1.0", "speed=2"]) == 0
    assert len(decoded(scored / "overlay/c1.mp4")) == 3


def test_single_frames_as_png(scored: Path) -> None:
    assert main(["render", f"scores={scored}", "clips=[c1]", "frames=[9,3]"]) == 0
    odd = cv2.imread(str(scored / "frames/c1-000009.png"))
    assert odd is not None
    assert (scored / "frames/c1-000003.png").is_file()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["clips=[c7]"], "no clip is called 'c7'; did you mean c"),
        (["layout=overlai"], "did you mean overlay?"),
        (["fps=0"], "fps must be > 0"),
        (["frames=[99]", "clips=[c1]"], r"must be within 0..19, got 99"),
        (["start_s=50"], "nothing to show"),
        (["footage=/nowhere"], "/nowhere"),
    ],
)
def test_bad_requests_get_one_line(
    words: list[str], expected: str, scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", f"scores={scored}", *words]) == 2
    errors = capsys.readouterr().err.strip()
    assert expected in errors
    assert len(errors.splitlines()) == 1


def test_a_folder_without_scores_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", f"scores={tmp_path}"]) == 2
    assert "must be a folder written by `tlae score`" in capsys.readouterr().err
