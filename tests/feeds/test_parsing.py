"""Feeds of all kinds, to entries and addresses of pictures."""

import json

import pytest

pytest.importorskip("feedparser", reason="needs the extra feed")

from tlae.feeds.parsing import NotAFeed, parse_feed

BASE = "https://example.org/news/feed"


def test_atom_with_relative_addresses_and_media() -> None:
    text = b"""<?xml version="1.0"?>
    <feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">
    <title>Woods</title><updated>2026-05-04T10:00:00Z</updated>
    <entry><id>tag:1</id><title> a
      b </title><updated>2026-05-04T12:00:00+02:00</updated>
    <link href="https://example.org/news/1.html"/>
    <link rel="enclosure" type="image/jpeg" href="https://cdn.example.org/1.jpg#top"/>
    <link rel="enclosure" type="audio/mpeg" href="https://cdn.example.org/1.mp3"/>
    <media:content url="/2.jpg" medium="image"/>
    <media:thumbnail url="https://example.org/small.jpg"/>
    <content type="html">&lt;img src="3.webp"&gt;
    &lt;img src="data:image/png;base64,AA"&gt;</content>
    </entry></feed>"""
    (entry,) = parse_feed(text, "application/atom+xml", BASE).entries
    assert (entry.title, entry.published) == ("a b", "2026-05-04T10:00:00+00:00")
    assert entry.pictures == (
        "https://cdn.example.org/1.jpg",
        "https://example.org/2.jpg",
        "https://example.org/news/3.webp",
    )
    assert entry.id == "tag:1 2026-05-04T10:00:00+00:00"


def test_json_feed() -> None:
    item = {
        "id": "1",
        "url": "https://example.org/1",
        "date_published": "2026-05-04T12:00:00+02:00",
        "image": "/a.jpg",
        "attachments": [
            {"url": "b.png", "mime_type": "image/png"},
            {"url": "c.mp3", "mime_type": "audio/mpeg"},
        ],
        "content_html": "<img src='https://example.org/a.jpg'><img src='/d'>",
    }
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Woods", "items": [item, 7]}
    (entry,) = parse_feed(json.dumps(feed).encode(), "application/feed+json", BASE).entries
    names = ("b.png", "a.jpg", "d")
    assert entry.pictures == tuple(f"https://example.org/{name}" for name in names)
    assert entry.published == "2026-05-04T10:00:00+00:00"


def test_links_to_pictures_and_the_time_between_looks() -> None:
    text = b"""<rss version="2.0"><channel><title>t</title><ttl>60</ttl>
    <item><link>https://example.org/direct.JPG</link></item>
    <item><link>https://example.org/page.html</link></item></channel></rss>"""
    feed = parse_feed(text, "text/html", BASE)
    assert feed.ttl_s == 3600
    assert [entry.pictures for entry in feed.entries] == [("https://example.org/direct.JPG",), ()]


def test_many_elements_are_not_deep_ones() -> None:
    html = b"<![CDATA[" + b"<p><img src='a.png'>" * 3000 + b"]]>"
    item = b"<item><guid>1</guid><description>" + html + b"</description><media/></item>"
    feed = parse_feed(b'<rss version="2.0"><channel>' + item * 2 + b"</channel></rss>", "", BASE)
    assert len(feed.entries) == 2


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe" + '<!DOCTYPE r [<!ENTITY a "b">]><rss/>'.encode("utf-16-le"),
        b'{"version": "https://jsonfeed.org/version/1", "items": ',
        b'{"version": "https://jsonfeed.org/version/1", "items": 7}',
        b'{"a":' * 100_000,
        b"\0" * 100,
        b"<" * 10_000,
        b'<rss version="2.0"><channel>' + b"<a>" * 20_000,
    ],
)
def test_hostile_documents_are_refused(text: bytes) -> None:
    with pytest.raises(NotAFeed):
        parse_feed(text, "application/xml", BASE)
