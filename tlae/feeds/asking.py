"""Ask servers politely: who we are, no faster than they like, and nothing that they refuse.

A feed names addresses that nobody has checked. So only HTTP is spoken, answers are bounded in size
and time, and a feed of the internet cannot make us ask a machine of the private network.
"""

import http.client
import ipaddress
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

from tlae.feeds.interruptible import Stopped, unless_stopped
from tlae.http_client import TooLong, body_of, in_words, login_of

NOT_MODIFIED, GONE = 304, 410
BUSY = (429, 503)
MAY_COME_BACK = (408, 425, 429, 500, 502, 503, 504)
BUSY_S, LONGEST_BUSY_S = 300.0, 86_400.0  # where a busy server does not say how long; at most
MOST_ROBOTS_BYTES = 500_000
ROBOTS_S = 86_400.0  # for which robots.txt is remembered
ROBOT = "tlae"  # our name in robots.txt
LEFT_AS_IT_IS = "!$%&'()*+,-./:;=?@_~"  # in a path or query


class Unavailable(Exception):
    """Why there is no answer, in words that follow an address.

    Attributes:
        may_come_back: whether it is worth a further try.
        is_busy: the server asked to be left alone for a while; that is no failed try.
        status: of HTTP; 0: there was no answer.
    """

    def __init__(
        self, reason: str, *, may_come_back: bool, is_busy: bool = False, status: int = 0
    ) -> None:
        super().__init__(reason)
        self.may_come_back, self.is_busy, self.status = may_come_back, is_busy, status


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Attributes:
        url: that answered, perhaps another one than was asked.
        headers: of the answer.
        body: empty where nothing has changed.
        is_unchanged: the server says that nothing has changed.
    """

    url: str
    headers: Message
    body: bytes
    is_unchanged: bool = False

    @property
    def kind(self) -> str:
        """Type of the document, as the server says; empty where it says none."""
        return self.headers.get_content_type() if "Content-Type" in self.headers else ""


class Asker:
    """Ask for the feed, and for pictures that it names.

    Args:
        feed: address of the feed, perhaps with a name and password.
        agent: how requests introduce themselves.
        delay_s: time between two requests to one server [s].
        timeout_s: a server must answer within this time [s].
        robots: ask ``robots.txt`` before pictures.
        stop: ends all waiting.
    """

    def __init__(
        self,
        *,
        feed: str,
        agent: str,
        delay_s: float,
        timeout_s: float,
        robots: bool,
        stop: threading.Event,
    ) -> None:
        self._agent, self._delay_s, self._timeout_s = agent, delay_s, timeout_s
        self._asks_robots, self._stop = robots, stop
        self._robots: dict[str, tuple[float, RobotFileParser]] = {}
        self._free_s: dict[str, float] = {}  # when a server may be asked again, by the monotonic
        self._busy_s: dict[str, float] = {}  # and when one that is busy may
        self._feed, login = login_of(feed)
        self._is_feed_private = False
        self._of_feed = _opener(self._meet_feed, *login)
        self._of_pictures = _opener(self._meet_server)

    def feed(self, conditions: Mapping[str, str], most_bytes: float) -> Answer:
        """The feed.

        Args:
            conditions: headers by which the server knows what we have.
            most_bytes: of it.

        Raises:
            Unavailable, Stopped: there is none.
        """
        return self._ask(self._of_feed, self._feed, most_bytes, conditions)

    def picture(self, url: str, most_bytes: float) -> Answer:
        """A picture that the feed names.

        Args:
            url: its address.
            most_bytes: of it.

        Raises:
            Unavailable, Stopped: there is none, or ``robots.txt`` forbids it.
        """
        url = _in_ascii(url)
        if self._asks_robots and not self._rules(url).can_fetch(ROBOT, url):
            raise Unavailable("is not for programs, says robots.txt", may_come_back=False)
        return self._ask(self._of_pictures, url, most_bytes)

    def _rules(self, url: str) -> RobotFileParser:
        """What a server allows; by RFC 9309 all where it has no such file."""
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc}"
        asked_s, rules = self._robots.get(place, (-ROBOTS_S, RobotFileParser()))
        if time.monotonic() - asked_s < ROBOTS_S:
            return rules
        rules = RobotFileParser()
        try:
            answer = self._ask(self._of_pictures, f"{place}/robots.txt", MOST_ROBOTS_BYTES)
            rules.parse(answer.body.decode("utf-8", "replace").splitlines())
        except Unavailable as problem:
            if problem.may_come_back:
                raise
            rules.parse([])
        self._robots[place] = time.monotonic(), rules
        return rules

    def _ask(
        self,
        opener: urllib.request.OpenerDirector,
        url: str,
        most_bytes: float,
        conditions: Mapping[str, str] | None = None,
    ) -> Answer:
        host = urlsplit(url).netloc
        self._wait_for(host)
        headers = {"User-Agent": self._agent, "Accept": "*/*", "Accept-Encoding": "gzip"}
        try:
            request = urllib.request.Request(url, headers=headers | dict(conditions or {}))
            return unless_stopped(lambda: self._answer(opener, request, most_bytes), self._stop)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == NOT_MODIFIED and conditions:
                return Answer(url, error.headers, b"", is_unchanged=True)
            raise self._refusal(host, error) from error
        except TooLong as error:
            reason = f"has more than {most_bytes / 1e6:g} MB"
            raise Unavailable(reason, may_come_back=False) from error
        except (OSError, HTTPException, ValueError, zlib.error) as error:
            if isinstance(getattr(error, "reason", None), _Private):
                reason = "lies in a private network, and the feed does not"
                raise Unavailable(reason, may_come_back=False) from error
            reason = f"does not answer: {in_words(error)}"
            raise Unavailable(reason, may_come_back=True) from error
        finally:
            self._free_s[host] = time.monotonic() + self._delay_of(url)

    def _answer(
        self, opener: urllib.request.OpenerDirector, request: urllib.request.Request, most: float
    ) -> Answer:
        with opener.open(request, timeout=self._timeout_s) as answer:
            body = _unpacked(answer, body_of(answer, most, self._timeout_s), most)
            return Answer(answer.url, answer.headers, body)

    def _delay_of(self, url: str) -> float:
        parts = urlsplit(url)
        _, rules = self._robots.get(f"{parts.scheme}://{parts.netloc}", (0.0, None))
        asked = None if rules is None else rules.crawl_delay(ROBOT)
        return max(self._delay_s, min(float(asked or 0), LONGEST_BUSY_S))

    def _wait_for(self, host: str) -> None:
        busy_s = self._busy_s.get(host, 0.0) - time.monotonic()
        if busy_s > 0:
            reason = f"is busy and wants to be asked in {busy_s:.0f} s"
            raise Unavailable(reason, may_come_back=True, is_busy=True)
        if self._stop.wait(max(0.0, self._free_s.get(host, 0.0) - time.monotonic())):
            raise Stopped

    def _refusal(self, host: str, error: urllib.error.HTTPError) -> Unavailable:
        code = error.code
        if code in BUSY:
            wait_s = retry_after_s(error.headers.get("Retry-After"), datetime.now(UTC))
            self._busy_s[host] = time.monotonic() + wait_s
        if code in (401, 403):
            return Unavailable(f"refuses us ({code})", may_come_back=False, status=code)
        reason = f"answers {code} {' '.join(str(error.reason).split())}"
        return Unavailable(
            reason, may_come_back=code in MAY_COME_BACK, is_busy=code in BUSY, status=code
        )

    def _meet_feed(self, peer: str) -> None:
        self._is_feed_private = not is_public(peer)

    def _meet_server(self, peer: str) -> None:
        if not self._is_feed_private and not is_public(peer):
            raise _Private(peer)


def retry_after_s(header: str | None, now: datetime) -> float:
    """How long a busy server wants to be left alone [s].

    Args:
        header: ``Retry-After``: seconds, or a date of HTTP.
        now: with a time zone.
    """
    text = (header or "").strip()
    if text.isdecimal() and len(text) < 9:
        return min(float(text), LONGEST_BUSY_S)
    try:
        wait_s = (parsedate_to_datetime(text).astimezone(UTC) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return BUSY_S
    return min(max(wait_s, 0.0), LONGEST_BUSY_S)


def is_public(peer: str) -> bool:
    """Whether an address of IP is one of the internet."""
    address = ipaddress.ip_address(peer.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_global)


class _Private(OSError):
    """A server lies in a private network."""


def _opener(meet: Callable[[str], None], *more: Any) -> urllib.request.OpenerDirector:
    """Speaks HTTP alone, also after a redirection.

    Args:
        meet: is told the address of each server before anything is sent; may raise.
        more: further handlers.
    """
    if urllib.request.getproxies():  # then the proxy alone is met, and it decides
        meet = _meet_anyone

    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            meet(self.sock.getpeername()[0])

    class Secure(http.client.HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            meet(self.sock.getpeername()[0])

    class OverPlain(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> HTTPResponse:
            return self.do_open(Plain, req)

    class OverSecure(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> HTTPResponse:
            return self.do_open(Secure, req)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        OverPlain(),
        OverSecure(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        *more,
    ):
        opener.add_handler(handler)
    return opener


def _meet_anyone(peer: str) -> None:
    """Every server will do."""


def _unpacked(answer: HTTPResponse, body: bytes, most_bytes: float) -> bytes:
    if answer.headers.get("Content-Encoding", "").lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or zlib, by the header
    unpacked = unpacker.decompress(body, int(most_bytes) + 1)
    if len(unpacked) > most_bytes:
        raise TooLong
    if not unpacker.eof:
        raise zlib.error("it ends early")
    return unpacked


def _in_ascii(url: str) -> str:
    """An address as HTTP takes it: other characters are encoded."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise Unavailable(f"is no address: {error}", may_come_back=False) from error
    host = f"[{host}]" if ":" in host else host
    path, query = (quote(part, safe=LEFT_AS_IT_IS) for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, f"{host}{port}", path or "/", query, ""))
