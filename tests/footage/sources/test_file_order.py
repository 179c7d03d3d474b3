"""Stills come in the order in which they were taken."""

import io
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from tlae.footage.contents import contents_of, goes_on_from
from tlae.footage.frames import Frame, TimeSource
from tlae.footage.sources import open_footage
from tlae.footage.sources.file_order import order_by_time

BEGIN = datetime(2023, 6, 13, 3)


def taken(minutes: float) -> str:
    return f"{BEGIN + timedelta(minutes=minutes):%Y:%m:%d %H:%M:%S}"


def write(folder: Path, exif_times: dict[str, str | None]) -> None:
    """Pictures with EXIF times; None: an empty file."""
    folder.mkdir(exist_ok=True)
    for name, time in exif_times.items():
        exif = Pillow.Exif()
        if time:
            exif.get_ifd(0x8769)[0x9003] = time
        file = io.BytesIO()
        Pillow.new("RGB", (32, 32)).save(file, "JPEG", exif=exif)
        (folder / name).write_bytes(b"" if time is None else file.getvalue())


def frames_of(folder: Path) -> list[tuple[str, float]]:
    return [(Path(f.path).name, f.time_s) for f in open_footage(str(folder)).frames()]


def numbered(first: int, count: int) -> list[str]:
    return [f"IMG_{number:04}.jpg" for number in range(first, first + count)]


def test_a_counter_that_begins_anew_goes_on_in_time_and_only_grew(tmp_path: Path) -> None:
    names = [*numbered(9990, 10), *numbered(1, 30)]
    times = {name: taken(200 * place) for place, name in enumerate(names)}
    write(tmp_path / "cam", {name: times[name] for name in names[:10]})
    before = contents_of(open_footage(str(tmp_path / "cam")))
    write(tmp_path / "cam", {name: times[name] for name in names[10:]})
    assert frames_of(tmp_path / "cam") == [(name, 12_000.0 * n) for n, name in enumerate(names)]
    assert goes_on_from(open_footage(str(tmp_path / "cam")), before)


def test_the_day_before_the_month_in_names(tmp_path: Path) -> None:
    days = [datetime(2023, 5, 30) + timedelta(days=n, hours=5) for n in range(6)]
    write(tmp_path, {f"{day:%d.%m.%Y %H-%M-%S}.jpg": "" for day in days})
    footage = open_footage(str(tmp_path), time_pattern="%d.%m.%Y %H-%M-%S")
    assert [frame.taken_at for frame in footage.frames()] == days


def test_two_cameras_in_a_folder_are_not_mixed(tmp_path: Path) -> None:
    times = {f"{cam}_{n:03}.jpg": taken(300 * n + (cam == "b")) for cam in "ab" for n in range(8)}
    write(tmp_path, times)
    assert [name for name, _ in frames_of(tmp_path)] == list(times)


def test_a_clock_that_was_reset_stays_behind_the_frames_before(tmp_path: Path) -> None:
    times = [taken(10 * n) for n in range(5)] + [f"2000:01:01 00:{n}0:00" for n in range(5)]
    names = numbered(1, 10)
    write(tmp_path, dict(zip(names, times, strict=True)))
    assert [name for name, _ in frames_of(tmp_path)] == names


def test_the_hour_of_the_end_of_summer_time_is_not_interleaved(tmp_path: Path) -> None:
    times = {f"{n}.jpg": taken(20 * n - 60 * (n >= 5)) for n in range(10)}
    write(tmp_path, times)
    assert [name for name, _ in frames_of(tmp_path)] == list(times)


def test_odd_files_among_exif_pictures_are_counted_on(tmp_path: Path) -> None:
    for place in (0, 15, 29):
        folder = tmp_path / str(place)
        times: dict[str, str | None] = {f"{n:02}.jpg": taken(n) for n in range(30)}
        times[f"{place:02}.jpg"] = None if place == 15 else "1970:01:01 00:00:00"
        write(folder, times)
        clip = open_footage(str(folder)).clips[0]
        frames: list[Frame] = list(clip.frames())
        assert clip.time_source == TimeSource.EXIF
        assert [n for n, frame in enumerate(frames) if frame.taken_at is None] == [place]
        assert all(frames[n].time_s <= frames[n + 1].time_s for n in range(29))
        for start in (1, 2, 16, 29):
            assert [f.time_s for f in clip.frames(start)] == [f.time_s for f in frames[start:]]


def test_dated_names_keep_their_times_beside_an_undated_one(tmp_path: Path) -> None:
    names = [f"{BEGIN + timedelta(minutes=n):%Y%m%d_%H%M%S}.jpg" for n in range(30)]
    write(tmp_path, dict.fromkeys([*names, "latest.jpg"], ""))
    expected = [(name, 60.0 * n) for n, name in enumerate(names)]
    assert frames_of(tmp_path) == [*expected, ("latest.jpg", 29 * 60 + 0.1)]


def test_dates_in_folders_are_times_of_stills(tmp_path: Path) -> None:
    for day in ("13", "14"):
        folder = tmp_path / "2023/06" / day
        folder.mkdir(parents=True)
        write(folder, {"03-11-46.jpg": "", "04-00-00.jpg": ""})
    frames = list(open_footage(str(tmp_path)).frames())
    assert frames[0].taken_at == datetime(2023, 6, 13, 3, 11, 46)
    assert frames[3].taken_at == datetime(2023, 6, 14, 4)


@given(st.lists(st.none() | st.integers(0, 10_000), max_size=30))
def test_every_file_has_one_place_and_order_is_kept_where_it_is_right(
    minutes: list[int | None],
) -> None:
    times = [None if m is None else BEGIN + timedelta(minutes=m) for m in minutes]
    names = [f"{n * 7}.jpg" for n in range(len(times))]
    order = order_by_time(names, times)
    assert sorted(order) == list(range(len(times)))
    known = [time for time in times if time is not None]
    if known == sorted(known):
        assert order == sorted(order)
