"""`tlae feed`: pictures of a site on this machine, judged, kept or left."""

import csv
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("feedparser", reason="needs the extra feed")
pytest.importorskip("sklearn", reason="needs the extra images")

from tests.command_words import reworded
from tests.feeds.site import SIDE_PX, Site, item, jpeg, png, running, words
from tests.serving.judges import fit_judges, picture
from tests.serving.test_serve_commands import refused
from tlae.cli import main
from tlae.compose import settings_of_words
from tlae.feeds.feed import FeedReport, read_feed
from tlae.feeds.ledger import Ledger


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return fit_judges(tmp_path_factory.mktemp("judges"))


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with running(site) as found:
        yield found


def table(out: Path) -> dict[str, dict[str, str]]:
    """Rows of ``pictures.csv`` by the last part of the address."""
    with (out / "pictures.csv").open(encoding="utf-8", newline="") as file:
        return {row["url"].rpartition("/")[2]: row for row in csv.DictReader(file)}


def test_new_pictures_are_kept_or_left(
    site: Site, url: str, judges: tuple[Path, Path], tmp_path: Path
) -> None:
    novelty, clean = judges
    wood = site.put_picture("/wood.png")
    sea = site.put_picture("/sea.png", "sea")
    site.put_picture("/stamp.png", "stamp", 1)
    site.put_picture("/inline.png", "forest", 2)
    site.put_rss(
        item("first", f"{url}/wood.png", "/sea.png"),
        item("second", f"{url}/stamp.png", text='<p>see <img src="/inline.png"></p>'),
    )
    out, left = tmp_path / "kept", tmp_path / "left"
    more = [f"filter={clean}", f"left={left}"]
    assert main(words(f"{url}/feed", novelty, out, *more)) == 0
    rows = table(out)
    assert {name: row["state"] for name, row in rows.items()} == {
        "wood.png": "kept",
        "sea.png": "left",
        "stamp.png": "left",
        "inline.png": "kept",
    }
    assert (out / rows["wood.png"]["file"]).read_bytes() == wood
    assert (left / rows["sea.png"]["file"]).read_bytes() == sea
    assert len(list(out.glob("*.png"))) == len(list(left.glob("*.png"))) == 2
    assert rows["wood.png"]["published"] == "2026-05-04T10:00:00+00:00"
    assert rows["stamp.png"]["filter_score"]
    assert not rows["sea.png"]["filter_score"]
    assert site.agents == {f"tlae/{__import__('tlae').__version__}"}


def test_nothing_is_fetched_or_judged_twice(
    site: Site, url: str, judges: tuple[Path, Path], tmp_path: Path
) -> None:
    site.put_picture("/a.png")
    site.put_rss(item("one", "/a.png"))
    site.etag = '"v1"'
    command = words(f"{url}/feed", judges[0], tmp_path / "kept")
    assert main(command) == 0
    assert main(command) == 0
    assert site.asked == ["/feed", "/robots.txt", "/a.png", "/feed"]
    site.put_picture("/b.png", "forest", 1)
    site.put_rss(item("two", "/b.png", "/a.png"), item("one", "/a.png"))
    site.etag = '"v2"'
    assert main(command) == 0
    assert (site.count("/a.png"), site.count("/b.png")) == (1, 1)


def test_copies_are_known_again(
    site: Site, url: str, judges: tuple[Path, Path], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 255, (12, 12, 3), np.uint8), (256, 192))
    site.put("/1.png", png(scene), "image/png")
    site.put("/same-bytes.png", png(scene), "image/png")
    site.put("/smaller.jpg", jpeg(cv2.resize(scene, (128, 96)), 60), "image/jpeg")
    site.put("/other.png", png(np.ascontiguousarray(scene[:, ::-1])), "image/png")
    site.put_rss(item("one", "/1.png", "/same-bytes.png", "/smaller.jpg", "/other.png"))
    command = words(f"{url}/feed", judges[0], tmp_path / "kept")
    assert main(command) == 0
    rows = table(tmp_path / "kept")
    states = [row["state"] for row in rows.values()]
    assert [state == "duplicate" for state in states] == [False, True, True, False]
    assert {rows[name]["same_as"] for name in ("same-bytes.png", "smaller.jpg")} == {f"{url}/1.png"}
    site.put("/later.jpg", jpeg(scene, 80), "image/jpeg")  # known after a restart as well
    site.put_rss(item("two", "/later.jpg"))
    assert main(command) == 0
    assert table(tmp_path / "kept")["later.jpg"]["state"] == "duplicate"


def test_pictures_that_cannot_be_judged_say_why(
    site: Site, url: str, judges: tuple[Path, Path], tmp_path: Path
) -> None:
    large = png(np.zeros((1500, 1500, 3), np.uint8))
    site.put("/page.png", b"<html>log in</html>", "text/html")
    site.put("/huge.png", large, "image/png")
    site.put("/heavy.png", np.random.default_rng(0).bytes(60_000), "image/png")
    site.put("/dot.png", png(np.zeros((1, 1, 3), np.uint8)), "image/png")
    site.put("/cut.png", png(picture("forest", 3, SIDE_PX))[:2000], "image/png")
    site.put("/locked.png", b"", "text/plain", 403)
    names = ("page.png", "huge.png", "heavy.png", "dot.png", "cut.png", "locked.png", "none.png")
    site.put_rss(item("one", *(f"/{name}" for name in names)))
    more = ["most_megapixels=2", "most_mb=0.05"]
    assert main(words(f"{url}/feed", judges[0], tmp_path / "kept", *more)) == 0
    rows = table(tmp_path / "kept")
    assert {row["state"] for row in rows.values()} == {"refused"}
    assert {name: row["reason"] for name, row in rows.items()} == {
        "page.png": "is a web page, not a picture",
        "huge.png": "has too many pixels, 1500 x 1500",
        "heavy.png": "has more than 0.05 MB",
        "dot.png": "is too small, 1 x 1 pixels",
        "cut.png": "truncated",
        "locked.png": "refuses us (403)",
        "none.png": "answers 404 Not Found",
    }


def test_what_fails_for_now_is_tried_again(
    site: Site, url: str, judges: tuple[Path, Path], tmp_path: Path
) -> None:
    site.etag = '"v1"'
    site.put("/a.png", b"", "text/plain", 500)
    site.put_rss(item("one", "/a.png"))
    out = tmp_path / "kept"
    command = words(f"{url}/feed", judges[0], out)
    for tries in range(1, 5):
        assert main(command) == 0
        assert (table(out)["a.png"]["state"], table(out)["a.png"]["tries"]) == (
            "waiting",
            f"{tries}",
        )
    site.put_picture("/a.png")
    assert main(command) == 0
    assert table(out)["a.png"]["state"] == "kept"
    site.put("/b.png", b"", "text/plain", 502)
    site.put_rss(item("two", "/b.png"))
    site.etag = '"v2"'
    for _ in range(6):
        assert main(command) == 0
    assert table(out)["b.png"]["reason"] == "answers 502 Bad Gateway, 5 times"
    assert site.count("/b.png") == 5


def test_a_busy_server_is_left_alone(
    site: Site, url: str, judges: tuple[Path, Path], tmp_path: Path
) -> None:
    site.put("/a.png", b"", "text/plain", 429, Retry_After="3600")
    site.put_picture("/b.png")
    site.put_rss(item("one", "/a.png", "/b.png"))
    assert main(words(f"{url}/feed", judges[0], tmp_path / "kept")) == 0
    rows = table(tmp_path / "kept")
    assert [(row["state"], row["tries"]) for row in rows.values()] == [("waiting", "0")] * 2
    assert site.count("/b.png") == 0


def test_robots_are_heard(site: Site, url: str, judges: tuple[Path, Path], tmp_path: Path) -> None:
    site.put("/robots.txt", b"User-agent: *\nDisallow: /private\n", "text/plain")
    site.put_picture("/private/a.png")
    site.put_picture("/open/b.png", "forest", 1)
    site.put_rss(item("one", "/private/a.png", "/open/b.png"))
    assert main(words(f"{url}/feed", judges[0], tmp_path / "kept")) == 0
    rows = table(tmp_path / "kept")
    assert rows["a.png"]["reason"] == "is not for programs, says robots.txt"
    assert rows["b.png"]["state"] == "kept"
    assert site.count("/private/a.png") == 0
    assert main(words(f"{url}/feed", judges[0], tmp_path / "all", "robots=false")) == 0
    assert table(tmp_path / "all")["a.png"]["state"] == "kept"


@pytest.mark.parametrize("step", ["write", "done", "has_all_of"])
@pytest.mark.parametrize("number", [0, 1])
def test_what_was_cut_short_goes_on(
    site: Site,
    url: str,
    judges: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    number: int,
) -> None:
    site.etag = '"v1"'
    for place in range(2):
        site.put_picture(f"/{place}.png", "forest", place)
    site.put_rss(*(item(f"entry {place}", f"/{place}.png") for place in range(2)))
    out, left = tmp_path / "kept", [number]
    cfg = settings_of_words("feed", list(words(f"{url}/feed", judges[0], out))[1:])
    whole = getattr(Ledger, step)

    def cut(self: Ledger, *values: str) -> None:
        if not left:
            whole(self, *values)
        elif not left[0]:
            left.clear()
            raise KeyboardInterrupt
        else:
            left[0] -= 1
            whole(self, *values)

    monkeypatch.setattr(Ledger, step, cut)
    with suppress(KeyboardInterrupt):
        read_feed(cfg, threading.Event(), lambda line: None)
    report = read_feed(cfg, threading.Event(), lambda line: None)
    assert report.refused == report.duplicates == report.waiting == 0
    assert [row["state"] for row in table(out).values()] == ["kept", "kept"]
    assert len(list(out.glob("*.png"))) == 2
    assert max(site.count("/0.png"), site.count("/1.png")) <= 2  # the one that was cut short


def test_a_feed_that_is_watched_for_ever_survives_its_bad_moments(
    site: Site, url: str, judges: tuple[Path, Path], tmp_path: Path
) -> None:
    site.put_picture("/0.png")
    site.put_rss(item("zero", "/0.png"))
    given = reworded(words(f"{url}/feed", judges[0], tmp_path / "kept")[1:], "once=false")
    cfg, stop = settings_of_words("feed", [*given, "interval_s=0.05"]), threading.Event()
    found: list[FeedReport] = []

    def change(line: str) -> None:
        looks = site.count("/feed")
        if looks == 2:
            site.put("/feed", b"<html>down for repair</html>", "text/html", 503, Retry_After="0")
        elif looks == 5:
            site.put_picture("/1.png", "forest", 1)
            site.put_rss(item("one", "/1.png"))
        elif looks == 9:
            stop.set()

    thread = threading.Thread(target=lambda: found.append(read_feed(cfg, stop, change)))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert found[0].kept == 2


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/page", "answers with a web page, not with a feed; it names the feed http"),
        ("/none", "answers 404 Not Found"),
        ("/gone", "answers 410 Gone"),
        ("/data", "answers with JSON that is no JSON Feed"),
        ("/picture.png", "answers with image/png, not with an RSS, Atom or JSON feed"),
        ("/empty", "answers with nothing"),
        ("/laughs", "declares XML entities"),
        ("/locked", "refuses us (401)"),
    ],
)
def test_what_is_no_feed_is_one_line(
    site: Site,
    url: str,
    path: str,
    said: str,
    judges: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    link = '<link rel="alternate" type="application/rss+xml" href="/feed">'
    site.put("/page", f"<!doctype html><html><head>{link}</head>".encode(), "text/html")
    site.put("/gone", b"", "text/plain", 410)
    site.put("/data", b'{"items": 3}', "application/json")
    site.put_picture("/picture.png")
    site.put("/empty", b"", "application/rss+xml")
    laughs = (
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><rss>&b;</rss>'
    )
    site.put("/laughs", laughs, "application/rss+xml")
    site.put("/locked", b"", "text/plain", 401, WWW_Authenticate='Basic realm="woods"')
    assert said in refused(list(words(f"{url}{path}", judges[0], tmp_path / "kept")), capsys)


def test_a_password_goes_to_the_feed_and_is_never_shown(
    site: Site,
    url: str,
    judges: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site.put("/locked", b"", "text/plain", 401, WWW_Authenticate='Basic realm="woods"')
    secret = url.replace("http://", "http://me:hunter2@")
    error = refused(list(words(f"{secret}/locked", judges[0], tmp_path / "kept")), capsys)
    assert "me:***@" in error
    assert "hunter2" not in error
    assert site.count("/locked") == 2  # the second time with the password


def test_settings_and_folders_that_cannot_be(
    judges: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = "http://127.0.0.1:9/feed"
    assert "url must begin with" in refused(
        list(words("file:///etc/passwd", judges[0], tmp_path / "k")), capsys
    )
    assert "does not answer" in refused(list(words(here, judges[0], tmp_path / "k")), capsys)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    assert "holds something else" in refused(
        list(words(here, judges[0], tmp_path / "mine")), capsys
    )
    assert "delay_s must be" in refused(
        list(words(here, judges[0], tmp_path / "k", "delay_s=-1")), capsys
    )


def test_a_feed_without_pictures_says_so(
    site: Site,
    url: str,
    judges: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site.put_rss(item("words alone"))
    assert main(words(f"{url}/feed", judges[0], tmp_path / "kept")) == 0
    assert "has no picture in any entry (1)" in capsys.readouterr().out
