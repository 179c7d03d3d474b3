import io
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from tlae.errors import FootageError
from tlae.footage.frames import TimeSource
from tlae.footage.timestamps import Timing, choose_source, exif_time, parse_filename_time

MOMENT = datetime(2023, 6, 13, 3, 11, 46)


def jpeg(taken: str | None = None, fraction: str | None = None) -> bytes:
    exif = Pillow.Exif()
    block = exif.get_ifd(0x8769)
    if taken:
        block[0x9003] = taken
    if fraction:
        block[0x9291] = fraction
    file = io.BytesIO()
    Pillow.new("RGB", (8, 8)).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "2023-06-13T03_11_46.jpg",
        "2023-06-13T03:11:46Z.jpg",
        "2023-06-13_03-11-46.png",
        "20230613_031146.jpg",
        "IMG_20230613_031146_0001.jpg",
        "20230613031146.jpg",
        "cam1_01_20230613031146.jpg",
        "2023.06.13 03.11.46.tif",
        "Screenshot 2023-06-13 at 03.11.46.png",
        "2023-06-13_03h11m46s.jpg",
        "camera 3 20230613T031146-1024x768.jpg",
    ],
)
def test_common_names_are_understood(name: str) -> None:
    assert parse_filename_time(name) == MOMENT


@pytest.mark.parametrize(
    ("name", "micros"),
    [
        ("2023-06-13_03-11-46-123 ms.jpg", 123_000),
        ("20230613_031146_007.jpg", 7_000),
        ("20230613031146123.jpg", 123_000),
        ("2023-06-13T03_11_46.123456.jpg", 123_456),
    ],
)
def test_fractions_of_a_second(name: str, micros: int) -> None:
    assert parse_filename_time(name) == MOMENT.replace(microsecond=micros)


@pytest.mark.parametrize("name", ["2023-06-13_0311.jpg", "202306130311.jpg"])
def test_seconds_may_be_missing(name: str) -> None:
    assert parse_filename_time(name) == MOMENT.replace(second=0)


@pytest.mark.parametrize(
    "name",
    [
        "001.jpg",
        "frame_000123.jpg",
        "img20230613.jpg",  # a date alone is as likely a number
        "2023-06-13_001.jpg",
        "2023-13-13T03_11_46.jpg",
        "2023-02-30T03_11_46.jpg",
        "2023-06-13T24_11_46.jpg",
        "1970-01-01T00_00_00.jpg",
        "1989-12-31T00_00_00.jpg",
        "120230613031146.jpg",
        "202306130311461.jpg",
        "",
    ],
)
def test_what_is_no_plausible_time_is_no_match(name: str) -> None:
    assert parse_filename_time(name) is None


def test_a_later_plausible_match_is_found() -> None:
    assert parse_filename_time("2023-99-99_00-00-00_20230613031146.jpg") == MOMENT


@given(st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)), st.sampled_from("-_.:"))
def test_any_time_survives_being_a_name(moment: datetime, mark: str) -> None:
    moment = moment.replace(microsecond=0)
    name = moment.strftime(f"a %Y{mark}%m{mark}%d_%H{mark}%M{mark}%S.jpg")
    assert parse_filename_time(name) == moment


@given(st.text(max_size=40))
def test_no_name_crashes(name: str) -> None:
    parse_filename_time(name)
    parse_filename_time(name, "%d.%m.%Y %H-%M")


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("garden 13.06.23 03-11-46 east.jpg", "%d.%m.%y %H-%M-%S"),
        ("x_2023164T031146.jpg", "%Y%jT%H%M%S"),
        ("13Jun2023_03.11.46AM.jpg", "%d%b%Y_%I.%M.%S%p"),
        ("no 7, 6-13-2023 (03 11 46).jpg", "%m-%d-%Y (%H %M %S)"),
        ("IMG00120230613031146.jpg", "%Y%m%d%H%M%S"),
    ],
)
def test_a_pattern_is_found_anywhere_in_the_name(name: str, pattern: str) -> None:
    assert parse_filename_time(name, pattern) == MOMENT


def test_a_pattern_may_hold_the_date_alone() -> None:
    assert parse_filename_time("day 2023-06-13.jpg", "%Y-%m-%d") == datetime(2023, 6, 13)


def test_a_pattern_that_does_not_fit_is_no_match() -> None:
    assert parse_filename_time("2023-13-01.jpg", "%Y-%m-%d") is None
    assert parse_filename_time("1980-01-01.jpg", "%Y-%m-%d") is None
    assert parse_filename_time("2023-06-13T03_11_46.jpg", "%d.%m.%Y") is None


def test_exif_time_with_its_fraction() -> None:
    assert exif_time(jpeg("2023:06:13 03:11:46")) == MOMENT
    later = MOMENT + timedelta(milliseconds=250)
    assert exif_time(jpeg("2023:06:13 03:11:46", "25")) == later


@pytest.mark.parametrize(
    "data",
    [
        jpeg(),
        jpeg("0000:00:00 00:00:00"),
        jpeg("1970:01:01 00:00:00"),
        jpeg("2023:06:13 03:11:46")[:30],
        b"",
        b"no picture",
    ],
)
def test_no_usable_exif_time_is_none(data: bytes) -> None:
    assert exif_time(data) is None


def source(names: list[str], files: list[bytes] | None = None, **timing: str) -> TimeSource:
    content = dict(zip(names, files or [b""] * len(names), strict=True))
    return choose_source(Timing(**timing), "cam", names, content.get)  # type: ignore[arg-type]


NAMES = [f"2023-06-13T03_11_4{n}.jpg" for n in range(5)]
EXIFS = [jpeg(f"2023:06:13 03:11:4{n}") for n in range(5)]


def test_order_of_trust() -> None:
    assert source(NAMES, EXIFS) == TimeSource.EXIF
    assert source(NAMES) == TimeSource.FILENAME
    assert source(["1.jpg", "2.jpg"]) == TimeSource.INTERVAL
    assert source(NAMES, EXIFS, source="filename") == TimeSource.FILENAME
    assert source(NAMES, EXIFS, source="interval") == TimeSource.INTERVAL


@pytest.mark.parametrize("without", [(0,), (2,), (4,), (0, 4)])
def test_odd_files_do_not_take_the_times_of_the_others_away(without: tuple[int, ...]) -> None:
    files = [b"" if n in without else data for n, data in enumerate(EXIFS)]
    assert source(NAMES, files) == TimeSource.EXIF
    names = [f"{n}.jpg" if n in without else name for n, name in enumerate(NAMES)]
    assert source(names) == TimeSource.FILENAME


def test_a_few_dated_files_among_others_are_no_source() -> None:
    assert source(["a.jpg", *NAMES[:2], "b.jpg", "c.jpg"]) == TimeSource.INTERVAL
    assert source(NAMES, [*EXIFS[:2], b"", b"", b""]) == TimeSource.FILENAME


@pytest.mark.parametrize(
    "path",
    [
        "2023/06/13/03-11-46.jpg",
        "2023-06-13/03_11_46.jpg",
        "site/20230613/cam1/03.11.46_x.jpg",
        "2023-06-13/03/cam1/11.46.mp4",
        "2023/06/13/03/11m46s.mp4",
        "cam 4/2023.06.13/03/11.46.mp4",
        "2001-01-01/01/20230613_031146.jpg",
    ],
)
def test_dates_in_folders_are_understood(path: str) -> None:
    assert parse_filename_time(path) == MOMENT


@pytest.mark.parametrize(
    "path",
    [
        "2023-06-13/000123.jpg",  # six digits are rather a counter
        "2023-06-13/001.jpg",
        "2023-02-31/03-11-46.jpg",
        "2023-06-13/25/11.46.mp4",
        "1900-06-13/03-11-46.jpg",
        "06/13/03-11-46.jpg",
    ],
)
def test_folders_that_are_no_plausible_date(path: str) -> None:
    assert parse_filename_time(path) is None


def test_a_pattern_with_a_slash_sees_the_last_folders() -> None:
    pattern = "%d.%m.%Y/%H/%M%S"
    assert parse_filename_time("cam/13.06.2023/03/1146.mp4", pattern) == MOMENT
    assert parse_filename_time("13.06.2023/03/cam/1146.mp4", pattern) is None
    assert parse_filename_time("2023-06-13/x.jpg", "%Y-%m-%d") is None


def test_years_at_the_edges_and_names_with_several_numbers() -> None:
    assert parse_filename_time("1900-06-13_03-11-46.jpg") is None
    assert parse_filename_time("2099-06-13_03-11-46.jpg") == MOMENT.replace(year=2099)
    assert parse_filename_time("19000101 000000 12 20230613_031146 77.jpg") == MOMENT


def test_equal_times_are_no_times() -> None:
    assert source(NAMES, [EXIFS[0]] * 5) == TimeSource.FILENAME
    equal = [f"2023-06-13T03_11_46 ({n}).jpg" for n in range(5)]
    assert source(equal) == TimeSource.INTERVAL
    assert source(equal[:1]) == TimeSource.FILENAME  # one frame has nothing to differ from
    assert source([*equal[:3], NAMES[0], equal[4]]) == TimeSource.FILENAME


def test_a_pattern_asks_for_file_names() -> None:
    names = ["13.06.2023 a.jpg", "14.06.2023 b.jpg"]
    assert source(names, EXIFS[:2], pattern="%d.%m.%Y") == TimeSource.FILENAME
    with pytest.raises(FootageError, match=r"of the form '%Y%m%d' in file names.*'13.06.2023 a"):
        source(names, pattern="%Y%m%d")


@pytest.mark.parametrize("asked", ["exif", "filename"])
def test_a_source_asked_for_must_be_there(asked: str) -> None:
    with pytest.raises(FootageError, match=rf"footage.time_source={asked} needs .* clip cam has"):
        source(["1.jpg", "2.jpg"], source=asked)


@pytest.mark.parametrize(
    ("timing", "words"),
    [
        ({"pace_s": 0.0}, r"footage.interval_s must be > 0 seconds, got 0.0"),
        ({"pace_s": float("nan")}, "got nan"),
        ({"source": "filenmae"}, r"must be one of auto, exif, .*'filenmae'; did you mean filename"),
        ({"source": "zzz"}, r"got 'zzz'$"),
        ({"pattern": "%H%M%S"}, "without a full date"),
        ({"pattern": "%Y%m%d%Q"}, "unknown %Q"),
        (
            {"time_zone": "Mars/Olympus"},
            "footage.time_zone must be the name of a time zone",
        ),
        ({"time_zone": "../x"}, "got '../x'; examples are UTC"),
        ({"pattern": "%Y%m%d%"}, "must hold year, month and day"),
    ],
)
def test_bad_settings_are_refused(timing: dict[str, float | str], words: str) -> None:
    with pytest.raises(FootageError, match=words):
        Timing(**timing)  # type: ignore[arg-type]
