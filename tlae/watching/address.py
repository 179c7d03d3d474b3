"""What ``camera=...`` names: a stream, a picture behind an address, a device, a folder, a file."""

import urllib.error
import urllib.request
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from tlae.errors import UserError, nearest
from tlae.footage.images import Unreadable, decode_image
from tlae.footage.sources.listing import is_video
from tlae.http_client import in_words, login_of, without_password

UDP = "udp"
SCHEMES = ("rtsp", "rtsps", "http", "https", UDP)
BEGIN_BYTES = 4096  # of an answer, by which its kind is known
HINT = "give an address of pictures or video"


class Kind(StrEnum):
    """What a camera is."""

    STREAM = "stream"
    DEVICE = "device"
    PICTURE = "picture"
    FOLDER = "folder"
    FILE = "file"


@dataclass(frozen=True)
class Address:
    """Where a camera is.

    Attributes:
        kind: what it is.
        path: as given.
    """

    kind: Kind
    path: str

    @property
    def shown(self) -> str:
        """The same without a password."""
        return without_password(self.path)


class CameraTrouble(Exception):
    """Why a camera gives no picture, in a few words for a line of the log."""


def address_of(path: str, timeout_s: float) -> Address:
    """Find out what a camera is; of an HTTP address by asking it.

    Args:
        path: as the user gave it.
        timeout_s: an HTTP server must answer within this time.

    Raises:
        UserError: it is nothing of that, or does not answer.
    """
    scheme, sign, _ = path.partition("://")
    if sign:
        try:
            host, port = urlsplit(path).hostname, urlsplit(path).port
        except ValueError as error:
            raise UserError(f"camera must be a valid address: {error}; mend it") from error
        if scheme.lower() not in SCHEMES:
            raise UserError(
                f"camera must be an address of a known scheme, got {without_password(path)!r}; "
                f"{nearest(scheme, SCHEMES)}"
            )
        if scheme.lower() == UDP and not port:  # a host is not needed: this machine listens
            raise UserError(
                f"camera must name the port that a stream over UDP comes to, got {path!r}; give "
                "udp://HOST:PORT, or udp://@:PORT for any address of this machine"
            )
        if scheme.lower() != UDP and not host:
            raise UserError(f"camera must name a host after {scheme}://, got {path!r}; mend it")
        if scheme.lower() not in ("http", "https"):
            return Address(Kind.STREAM, path)
        try:
            return Address(_kind_behind(path, timeout_s), path)
        except CameraTrouble as trouble:
            raise UserError(f"camera {without_password(path)} {trouble}") from trouble
    if path.isdecimal():
        return Address(Kind.DEVICE, path)
    place = Path(path).expanduser()
    if place.is_dir():
        return Address(Kind.FOLDER, str(place))
    if place.is_file() and is_video(place.name):
        return Address(Kind.FILE, str(place))
    what = "is no video" if place.exists() else "is not there"
    raise UserError(
        f"camera must be an address, the number of a USB camera, a folder or a video file, got "
        f"{path!r}, which {what}; addresses begin with {', '.join(f'{s}://' for s in SCHEMES)}"
    )


def ask(url: str, timeout_s: float) -> HTTPResponse:
    """Open an HTTP address; a name and password in it are used for Basic or Digest login.

    Raises:
        CameraTrouble: it does not answer, or refuses.
    """
    plain, handlers = login_of(url)
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(plain, headers={"User-Agent": "tlae", "Accept": "*/*"})
    try:
        answer: HTTPResponse = opener.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (401, 403):
            raise CameraTrouble(f"refuses the name or password ({error.code})") from error
        raise CameraTrouble(f"answers {error.code} {error.reason}; check the address") from error
    except (OSError, HTTPException, ValueError) as error:
        raise CameraTrouble(f"does not answer: {in_words(error)}") from error
    return answer


def _kind_behind(url: str, timeout_s: float) -> Kind:
    """Whether an HTTP address gives one picture or a stream, by the kind of its answer."""
    with ask(url, timeout_s) as answer:
        kind = answer.headers.get_content_type()
        if kind.startswith("multipart/"):
            return Kind.STREAM
        try:
            begin = answer.read1(BEGIN_BYTES)
        except (OSError, HTTPException) as error:
            raise CameraTrouble(f"does not answer: {in_words(error)}") from error
        if kind in ("text/html", "application/json", "application/xhtml+xml"):
            raise CameraTrouble(f"answers with {kind}, not with pictures; {HINT}")
        if kind.startswith("image/"):
            return Kind.PICTURE
        try:
            decode_image(begin)
        except Unreadable as problem:
            is_picture = problem.reason in ("truncated", "damaged")
            return Kind.PICTURE if is_picture else Kind.STREAM
        return Kind.PICTURE
