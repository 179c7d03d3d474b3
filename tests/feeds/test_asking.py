"""How servers are asked: no machine of the private network, and nothing but HTTP."""

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.feeds.site import Site, running
from tests.silent_server import silent_server
from tlae.feeds.asking import BUSY_S, Asker, Unavailable, is_public, retry_after_s
from tlae.feeds.interruptible import Stopped


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with running(site) as found:
        yield found


def asker(url: str, stop: threading.Event | None = None, delay_s: float = 0.0) -> Asker:
    return Asker(
        feed=f"{url}/feed",
        agent="tlae/test",
        delay_s=delay_s,
        timeout_s=5,
        robots=False,
        stop=stop or threading.Event(),
    )


def test_a_feed_of_the_internet_reaches_no_private_machine(site: Site, url: str) -> None:
    site.put_picture("/a.png")
    with pytest.raises(Unavailable, match="lies in a private network"):
        asker(url).picture(f"{url}/a.png", 1e6)
    assert site.asked == []
    mine = asker(url)
    site.put("/feed", b"x", "text/plain")
    mine.feed({}, 1e6)  # the feed lies there itself
    assert mine.picture(f"{url}/a.png", 1e6).kind == "image/png"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:,a"])
def test_a_redirection_leaves_http_nowhere(site: Site, url: str, target: str) -> None:
    site.put("/feed", b"", "text/plain", 302, Location=target)
    with pytest.raises(Unavailable):
        asker(url).feed({}, 1e6)


def test_nothing_new_is_no_answer_to_the_first_question(site: Site, url: str) -> None:
    site.put("/feed", b"", "text/plain", 304)
    with pytest.raises(Unavailable, match="answers 304"):
        asker(url).feed({}, 1e6)
    assert asker(url).feed({"If-None-Match": "a"}, 1e6).is_unchanged


def test_a_redirection_in_a_circle_is_one_line(site: Site, url: str) -> None:
    site.put("/feed", b"", "text/plain", 302, Location="/feed")
    with pytest.raises(Unavailable, match="redirect") as caught:
        asker(url).feed({}, 1e6)
    assert "\n" not in str(caught.value)


def test_an_answer_that_is_cut_short_is_asked_for_again(site: Site, url: str) -> None:
    site.put("/feed", b"woods", "text/plain", Content_Length="9", Connection="close")
    with pytest.raises(Unavailable, match="does not answer: 5 of 9 bytes came") as caught:
        asker(url).feed({}, 1e6)
    assert caught.value.may_come_back


def test_packed_answers_are_unpacked_within_their_bounds(site: Site, url: str) -> None:
    site.put("/feed", gzip.compress(b"woods"), "text/plain", Content_Encoding="gzip")
    assert asker(url).feed({}, 1e6).body == b"woods"
    site.put("/feed", gzip.compress(b"woods")[:-9], "text/plain", Content_Encoding="gzip")
    with pytest.raises(Unavailable, match="it ends early"):
        asker(url).feed({}, 1e6)
    bomb = gzip.compress(b"\0" * 2_000_000)
    site.put("/feed", bomb, "text/plain", Content_Encoding="gzip")
    with pytest.raises(Unavailable, match="has more than 1 MB"):
        asker(url).feed({}, 1e6)


def test_odd_addresses(site: Site, url: str) -> None:
    site.put("/a%20b/%C3%A4.png?x=%C3%BC", b"x", "text/plain")
    site.put("/feed", b"x", "text/plain")
    one = asker(url)
    one.feed({}, 1e6)
    assert one.picture(f"{url}/a b/ä.png?x=ü", 1e6).body == b"x"
    for odd in ("http://[::1", "http://a..b/", "http://x:99999999/"):
        with pytest.raises(Unavailable):
            one.picture(odd, 1e6)


def test_an_end_is_not_waited_for(site: Site, url: str) -> None:
    site.put("/feed", b"x", "text/plain")
    stop = threading.Event()
    one = asker(url, stop, delay_s=3600)
    one.feed({}, 1e6)
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Stopped):
        one.feed({}, 1e6)


def test_a_server_that_takes_the_connection_and_says_nothing_holds_up_no_end() -> None:
    stop = threading.Event()
    with silent_server(stop) as silent, pytest.raises(Stopped):
        asker(silent, stop).feed({}, 1e6)


def test_how_long_a_busy_server_is_left_alone() -> None:
    now = datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert retry_after_s("120", now) == 120
    assert retry_after_s("Mon, 04 May 2026 10:01:00 GMT", now) == 60
    assert retry_after_s("Mon, 04 May 2026 09:00:00 GMT", now) == 0
    assert retry_after_s("9" * 8, now) == 86_400
    for odd in (None, "", "soon", "-5"):
        assert retry_after_s(odd, now) == BUSY_S


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        *(("127.0.0.1", False), ("10.1.2.3", False), ("::1", False), ("fe80::1%eth0", False)),
        *(("::ffff:192.168.1.1", False), ("169.254.169.254", False), ("8.8.8.8", True)),
    ],
)
def test_private_addresses(peer: str, expected: bool) -> None:
    assert is_public(peer) is expected
