"""Bytes of a feed to its entries, with the addresses of their pictures."""

import io
import json
import re
from calendar import timegm
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser

from tlae.footage.images import IMAGE_SUFFIXES

JSON_VERSION = "jsonfeed.org/version"
FEED_KINDS = ("application/rss+xml", "application/atom+xml", "application/feed+json")
MINUTE_S = 60.0
LONGEST_TTL_S = 86_400.0
BEGIN_BYTES = 1000  # of a document, by which a web page is known
TAG = re.compile(rb"<!\[CDATA\[|<!--|<(/?)[A-Za-z][^<>]*+>")
MOST_DEPTH = 2000  # of elements within each other
MOST_TEXT = 500  # characters of a title


@dataclass(frozen=True)
class Entry:
    """One entry of a feed.

    Attributes:
        id: what it is known by, with its date of change; "" where the feed says nothing.
        title: of it.
        published: when, UTC, ISO 8601; "" where not known.
        pictures: addresses, each once.
    """

    id: str
    title: str
    published: str
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class Feed:
    """A feed.

    Attributes:
        title: of it.
        ttl_s: time for which it asks not to be looked at again [s]; 0: it does not say.
        entries: in its order.
    """

    title: str
    ttl_s: float
    entries: tuple[Entry, ...]


class NotAFeed(Exception):
    """What a document is instead, in words that follow its address."""


def parse_feed(data: bytes, kind: str, url: str) -> Feed:
    """Read RSS, Atom or JSON Feed.

    Args:
        data: the document.
        kind: its type, as the server says.
        url: its address; relative ones in it refer to that.

    Raises:
        NotAFeed: it is another document, or a damaged one.
    """
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        raise NotAFeed("answers with nothing; give the address of an RSS, Atom or JSON feed")
    if text.startswith(b"{"):
        return _json_feed(text, url)
    if b"<!entity" in data.replace(b"\0", b"").lower():  # UTF-16 has zero bytes between
        raise NotAFeed("declares XML entities, which feeds do not need and attacks use")
    if _depth(data.replace(b"\0", b"")) > MOST_DEPTH:
        raise NotAFeed(f"opens more than {MOST_DEPTH:,} elements within each other")
    headers = {"content-location": url, "content-type": kind}
    try:
        found = feedparser.parse(io.BytesIO(data), response_headers=headers)
    except Exception as error:  # of many kinds, on damaged documents
        raise NotAFeed(f"answers with a damaged feed: {error}") from error
    if not found.version:
        raise NotAFeed(_what_it_is(text, kind, url))
    entries = tuple(_xml_entry(entry, url) for entry in found.entries)
    return Feed(_short(found.feed.get("title")), _ttl_s(found.feed.get("ttl")), entries)


def _depth(data: bytes) -> int:
    """Most elements that are open at a time; damaged documents, and void ones of HTML, count too.

    The time of feedparser grows with its square.
    """
    closers = {b"<![CDATA[": b"]]>", b"<!--": b"-->"}
    last = {closer: data.rfind(closer) for closer in closers.values()}
    depth = deepest = after = 0
    for tag in TAG.finditer(data):
        if tag.start() < after:
            continue  # it is text
        if closer := closers.get(tag[0]):
            after = data.find(closer, tag.end()) if tag.end() <= last[closer] else 0
        elif not tag[0].endswith(b"/>"):
            depth += -1 if tag[1] else 1
        deepest = max(deepest, depth)
    return deepest


def _what_it_is(text: bytes, kind: str, url: str) -> str:
    """What a document that is no feed is."""
    begin = text[:BEGIN_BYTES].lower()
    if "html" in kind or b"<html" in begin or b"<!doctype html" in begin:
        named = _Page.read(text).feeds
        hint = "give the address of its feed"
        if named:
            hint = f"it names the feed {urljoin(url, named[0])}"
        return f"answers with a web page, not with a feed; {hint}"
    return f"answers with {kind or 'something'}, not with an RSS, Atom or JSON feed; check it"


def _xml_entry(entry: dict[str, Any], url: str) -> Entry:
    """An entry as feedparser has it."""
    published = entry.get("published_parsed")
    changed = dict.get(entry, "updated_parsed") or published  # its own ``get`` warns
    published = published or changed
    name = entry.get("id") or entry.get("link") or ""
    return Entry(
        id=f"{name} {_iso(changed)}" if name else "",
        title=_short(entry.get("title")),
        published=_iso(published),
        pictures=_addresses(_xml_pictures(entry), str(entry.get("link") or url), url),
    )


def _xml_pictures(entry: Mapping[str, Any]) -> Iterator[Any]:
    """Addresses of the pictures of an entry, perhaps relative, perhaps several times."""
    for link in entry.get("links", ()):
        is_enclosure = link.get("rel") == "enclosure"
        kind = link.get("type") if is_enclosure else None  # of others feedparser makes it up
        if _is_picture(link.get("href"), kind, default=is_enclosure):
            yield link.get("href")
    media = list(entry.get("media_content", ()))
    for one in media:
        default = one.get("medium") == "image"
        if _is_picture(one.get("url"), one.get("type"), default=default):
            yield one.get("url")
    for content in (*entry.get("content", ()), {"value": entry.get("summary")}):
        yield from _Page.read(str(content.get("value") or "").encode()).pictures
    if not media:
        for one in entry.get("media_thumbnail", ()):
            yield one.get("url")


def _json_feed(text: bytes, url: str) -> Feed:
    """A JSON Feed, https://www.jsonfeed.org/version/1.1/."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAFeed(f"answers with damaged JSON: {error}") from error
    if JSON_VERSION not in str(found.get("version")) or not isinstance(found.get("items"), list):
        raise NotAFeed("answers with JSON that is no JSON Feed; check the address")
    items = [item for item in found["items"] if isinstance(item, dict)]
    entries = tuple(_json_entry(item, url) for item in items)
    return Feed(_short(found.get("title")), 0.0, entries)


def _json_entry(item: Mapping[str, Any], url: str) -> Entry:
    changed = item.get("date_modified") or item.get("date_published") or ""
    name = item.get("id") or item.get("url") or ""
    page = str(item.get("url") or url)
    return Entry(
        id=f"{name} {changed}" if name else "",
        title=_short(item.get("title")),
        published=_json_time(item.get("date_published") or changed),
        pictures=_addresses(_json_pictures(item), page, url),
    )


def _json_pictures(item: Mapping[str, Any]) -> Iterator[Any]:
    attached = item.get("attachments")
    for one in attached if isinstance(attached, list) else ():
        if isinstance(one, dict) and _is_picture(one.get("url"), one.get("mime_type")):
            yield one.get("url")
    yield from (item.get("image"), item.get("banner_image"))
    yield from _Page.read(str(item.get("content_html") or "").encode()).pictures
    for name in ("external_url", "url"):
        if _is_picture(item.get(name), None):
            yield item[name]


def _addresses(found: Iterable[Any], page: str, feed: str) -> tuple[str, ...]:
    """Whole addresses of HTTP, each once, without what follows #."""
    base = urljoin(feed, page)
    whole: dict[str, None] = {}
    for one in found:
        if not isinstance(one, str) or not one.strip():
            continue
        try:
            address = urljoin(base, one.strip()).partition("#")[0]
            parts = urlsplit(address)
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.netloc:
            whole[address] = None
    return tuple(whole)


def _is_picture(address: Any, kind: Any, *, default: bool = False) -> bool:
    """Whether a link is to a picture, by its type or else by its name."""
    if isinstance(kind, str) and kind:
        return kind.startswith("image/")
    try:
        path = PurePosixPath(urlsplit(str(address or "")).path)
    except ValueError:
        return False
    return path.suffix.lower() in IMAGE_SUFFIXES or (default and not path.suffix)


class _Page(HTMLParser):
    """Pictures and feeds that a piece of HTML names."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.feeds: list[str] = []

    @classmethod
    def read(cls, html: bytes) -> "_Page":
        page = cls()
        page.feed(html.decode("utf-8", "replace"))
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is looked for."""
        given = {name: value or "" for name, value in attrs}
        if tag == "img" and given.get("src"):
            self.pictures.append(given["src"])
        elif tag == "link" and given.get("type") in FEED_KINDS and given.get("href"):
            self.feeds.append(given["href"])


def _short(text: Any) -> str:
    return re.sub(r"\s+", " ", text).strip()[:MOST_TEXT] if isinstance(text, str) else ""


def _ttl_s(minutes: Any) -> float:
    text = str(minutes or "")
    return min(MINUTE_S * int(text), LONGEST_TTL_S) if text.isdecimal() and len(text) < 9 else 0.0


def _iso(when: Any) -> str:
    """A time of feedparser, which is in UTC."""
    try:
        return datetime.fromtimestamp(timegm(when), UTC).isoformat() if when else ""
    except (ValueError, OverflowError, OSError):
        return ""


def _json_time(text: Any) -> str:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC).isoformat() if text else ""
    except (ValueError, OverflowError):
        return ""
