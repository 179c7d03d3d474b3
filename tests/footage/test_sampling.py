"""Sampling by time, date and hour: which frames, in which order, without decoding the others."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.small_footage import frame_image
from tlae.errors import FootageError
from tlae.footage.sampling import Sampling, parse_sampling
from tlae.footage.sources import image_folder, open_footage

WriteVideo = Callable[..., Path]
BEGIN = datetime(2023, 6, 13, 3, 0)


def write_stills(root: Path, minutes: list[float]) -> Path:
    root.mkdir(parents=True)
    for number, minute in enumerate(minutes):
        name = f"{BEGIN + timedelta(minutes=minute):%Y-%m-%dT%H_%M_%S}.png"
        cv2.imwrite(str(root / name), frame_image(number))
    return root


def minutes_of(root: Path, **sampling: str) -> list[float]:
    frames = list(open_footage(str(root), **sampling).frames())  # type: ignore[arg-type]
    assert [frame.frame for frame in frames] == list(range(len(frames)))
    times = [frame.taken_at - BEGIN for frame in frames if frame.taken_at]
    return [time.total_seconds() / 60 for time in times]


def test_the_first_frame_at_or_after_each_step_is_taken(tmp_path: Path) -> None:
    root = write_stills(tmp_path / "cam", [0, 4, 9, 11, 19.5, 20, 47, 49, 51, 60])
    assert minutes_of(root, every="10min") == [0, 11, 20, 47, 51, 60]
    assert minutes_of(root, every="0.5h") == [0, 47, 60]
    assert len(minutes_of(root, every="1s")) == 10


def test_dates_are_inclusive_at_the_start_and_moments_exclusive_at_the_end(tmp_path: Path) -> None:
    root = write_stills(tmp_path / "cam", [60 * h for h in range(72)])
    assert minutes_of(root, start="2023-06-13T05:00", end="2023-06-13T07:00") == [120, 180]
    assert len(minutes_of(root, start="2023-06-14", end="2023-06-14")) == 24
    assert minutes_of(root, end="2023-06-13 04:00:00") == [0]


@pytest.mark.parametrize("bare", ["2023-06-14", "20230614", "2023-W24-3", "2023W243", " 20230614 "])
def test_a_bare_date_in_any_spelling_includes_that_day(tmp_path: Path, bare: str) -> None:
    root = write_stills(tmp_path / "cam", [60 * h for h in range(72)])
    assert len(minutes_of(root, start=bare, end=bare)) == 24


def test_hours_may_wrap_and_be_several(tmp_path: Path) -> None:
    root = write_stills(tmp_path / "cam", [60 * h for h in range(24)])  # from 3 o'clock on

    def hours(text: str) -> list[float]:
        return [(minute / 60 + 3) % 24 for minute in minutes_of(root, hours=text)]

    assert hours("6-9") == [6, 7, 8]
    assert hours("22-2") == [22, 23, 0, 1]
    assert hours("6-8, 16-17:30") == [6, 7, 16, 17]
    assert hours("20-24") == [20, 21, 22, 23]


@given(steps=st.lists(st.integers(0, 100), min_size=1, max_size=60), every=st.integers(1, 50))
def test_the_grid_agrees_with_a_naive_one(steps: list[int], every: int) -> None:
    times = np.cumsum(steps) / 10  # tenths of a second, which are not exact in binary
    wanted = Sampling(every / 10).picker()
    kept = [bool(wanted(float(time), None)) for time in times]
    taken: set[int] = set()
    for number, step in enumerate(np.cumsum(steps) - steps[0]):
        assert kept[number] == (step // every not in taken)
        taken.add(step // every)


def test_a_clock_set_back_does_not_end_the_footage() -> None:
    wanted = Sampling(10.0).picker()
    times = [0, 10, 20, 19, 21, 30, 0, 4, 10, 12, 20]
    assert [t for t in times if wanted(t, None)] == [0, 10, 20, 30, 0, 10, 20]


def test_what_is_left_out_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_stills(tmp_path / "cam", list(range(20)))
    decoded = []
    original = image_folder.decode_image
    monkeypatch.setattr(
        image_folder, "decode_image", lambda *args: decoded.append(1) or original(*args)
    )
    (clip,) = open_footage(str(root), every="5min").clips
    assert clip.length == 4
    assert not decoded
    assert [frame.frame for frame in clip.frames(start=2)] == [2, 3]
    assert len(decoded) == 2


def test_stills_with_exif_times_are_sampled_by_them(tmp_path: Path) -> None:
    for number in range(8):
        exif = Image.Exif()
        exif[0x8769] = {0x9003: f"2023:06:13 0{number}:30:00"}
        Image.fromarray(frame_image(number)).save(tmp_path / f"img{number}.jpg", exif=exif)
    frames = list(open_footage(str(tmp_path), every="2h", hours="2-8").frames())
    assert [Path(frame.path).stem for frame in frames] == ["img2", "img4", "img6"]
    assert [frame.frame for frame in frames] == [0, 1, 2]


def test_a_video_is_sampled_by_its_own_times(tmp_path: Path, write_video: WriteVideo) -> None:
    times_ms = [0, 100, 250, 900, 1000, 1900, 2500]
    path = write_video(
        tmp_path / "a.mp4", times_ms, metadata={"creation_time": "2023-06-13T05:59:59"}
    )
    (clip,) = open_footage(str(path), every="500ms").clips
    assert [(f.frame, f.time_s) for f in clip.frames()] == [
        (0, 0.0), (1, 0.9), (2, 1.0), (3, 1.9), (4, 2.5)]  # fmt: skip
    assert [f.time_s for f in clip.frames(start=3)] == [1.9, 2.5]
    (clip,) = open_footage(str(path), hours="6-7", time_zone="UTC").clips
    assert [(f.frame, f.time_s) for f in clip.frames()] == [(0, 1.0), (1, 1.9), (2, 2.5)]


def test_footage_without_a_clock_is_refused_for_dates_only(
    tmp_path: Path, write_video: WriteVideo
) -> None:
    cv2.imwrite(str(tmp_path / "a1.png"), frame_image(1))
    write_video(tmp_path / "film.mp4")
    for path, hours in ((tmp_path / "a1.png", "6-20"), (tmp_path / "film.mp4", "20-6")):
        with pytest.raises(FootageError, match="need wall-clock times, got none in 1 of 1 clip, "):
            open_footage(str(path), hours=hours)
        assert len(list(open_footage(str(path), every="1s").frames())) == 1


def test_an_unreadable_video_is_one_row_of_a_sample_too(
    tmp_path: Path, write_video: WriteVideo
) -> None:
    write_video(tmp_path / "2023-06-13T03_00_00.mp4")
    (tmp_path / "b.mp4").write_bytes(b"broken")
    footage = open_footage(str(tmp_path), every="200ms", start="2023-06-13")
    broken = footage.clips[1]
    assert [frame.frame for frame in broken.frames()] == [0]
    assert list(broken.frames(start=1)) == []
    assert len(list(footage.frames())) == 6


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"every": "0"}, r"every must be a time > 0 with its unit .* got '0'"),
        ({"every": "0s"}, "every must be a time > 0"),
        ({"every": "10"}, "an example is 10min"),
        ({"every": "banana"}, "got 'banana'"),
        ({"every": "-5s"}, "got '-5s'"),
        ({"hours": "25"}, r"within 0\.\.24, got '25'"),
        ({"hours": "6-25"}, "got '6-25'"),
        ({"hours": "6-6"}, "two different hours"),
        ({"hours": "6-9,"}, "got '6-9,'"),
        ({"hours": "6:70-9"}, "got '6:70-9'"),
        ({"start": "yesterday"}, "must be a date or a date with time, got 'yesterday'"),
        ({"start": "2023-02-30"}, "got '2023-02-30'"),
        ({"end": "2023-06-13T06:00Z"}, "without a zone"),
        ({"start": "2023-06-14", "end": "2023-06-13"}, "end must be later than footage.start"),
        ({"start": "2023-06-14T06:00", "end": "2023-06-14T06:00"}, "must be later"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, str], words: str) -> None:
    with pytest.raises(FootageError, match=words):
        parse_sampling(**settings)


def test_a_grid_in_seconds_needs_a_pace(tmp_path: Path) -> None:
    for n in range(3):
        cv2.imwrite(str(tmp_path / f"{n}.png"), frame_image(n))
    with pytest.raises(FootageError, match=r"footage.every needs the time .* give it in seconds"):
        open_footage(str(tmp_path), every="1s")
    assert len(list(open_footage(str(tmp_path), every="1s", interval_s=0.5).frames())) == 2
