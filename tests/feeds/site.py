"""A site on this machine with a feed and pictures; tests change it while it runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from xml.sax.saxutils import escape

import cv2
import numpy as np

from tests.serving.judges import picture
from tests.watching.servers import served

SIDE_PX = 96
NO_ROBOTS = (404, {}, b"")
Page = tuple[int, dict[str, str], bytes]


@dataclass
class Site:
    """What the site answers.

    Attributes:
        pages: status, headers and body by path; others are answered with 404.
        etag: of /feed; a request that has it is answered with 304.
        asked: paths of all requests, in order.
        agents: names by which programs introduced themselves.
    """

    pages: dict[str, Page] = field(default_factory=dict)
    etag: str = ""
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def put(self, path: str, body: bytes, kind: str, status: int = 200, **headers: str) -> None:
        """Answer a path."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = status, {"Content-Type": kind, **named}, body

    def put_rss(self, *items: str) -> None:
        """Answer /feed with RSS."""
        text = (
            '<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/">'
        )
        text += f"<channel><title>Woods</title>{''.join(items)}</channel></rss>"
        self.put("/feed", text.encode(), "application/rss+xml")

    def put_picture(self, path: str, kind: str = "forest", number: int = 0) -> bytes:
        """Answer a path with a picture of ``tests.serving.judges``."""
        data = png(picture(kind, number, SIDE_PX))
        self.put(path, data, "image/png")
        return data

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return self.asked.count(path)


def item(name: str, *pictures: str, text: str = "") -> str:
    """An item of RSS with pictures as enclosures."""
    links = "".join(f'<enclosure url="{url}" type="image/png" length="1"/>' for url in pictures)
    guid = f"<guid isPermaLink='false'>{name}</guid>"
    date = "<pubDate>Mon, 04 May 2026 10:00:00 GMT</pubDate>"
    title = f"<title>{name}</title>"
    return f"<item>{title}{guid}{date}{links}<description>{escape(text)}</description></item>"


def png(image: np.ndarray) -> bytes:
    """A picture as a PNG file."""
    return bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())


def jpeg(image: np.ndarray, quality: int) -> bytes:
    """A picture as a JPEG file."""
    sharp = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return bytes(cv2.imencode(".jpg", image[..., ::-1], sharp)[1].tobytes())


@contextmanager
def running(site: Site) -> Iterator[str]:
    """Address of a site that runs within."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.agents.add(self.headers["User-Agent"])
            status, headers, body = site.pages.get(self.path, NO_ROBOTS)
            if self.path == "/feed" and site.etag:
                headers = {**headers, "ETag": site.etag}
                if self.headers["If-None-Match"] == site.etag:
                    status, body = 304, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with served(Handler) as url:
        yield url


def words(url: str, model_file: object, out: object, *more: str) -> Sequence[str]:
    """Words of `tlae feed` in which nothing takes long."""
    quick = ["once=true", "delay_s=0", "timeout_s=5"]
    return ["feed", f"url={url}", f"model_file={model_file}", f"out={out}", *quick, *more]
