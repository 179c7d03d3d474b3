"""What ``camera=...`` names: a stream, a picture behind an address, a device, a folder, a file."""

import re
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from tlae.errors import UserError, nearest
from tlae.footage.images import Unreadable, decode_image
from tlae.footage.sources.listing import is_video

SCHEMES = ("rtsp", "rtsps", "http", "https")
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


def without_password(url: str) -> str:
    """An address as it may be shown: without the password in it, and without a query's values."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return url
    user, at, host = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}:***{at}{host}" if ":" in user else parts.netloc
    query = re.sub(r"=[^&]*", "=***", parts.query)
    return urlunsplit(parts._replace(netloc=netloc, query=query))


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
            host = urlsplit(path).hostname
        except ValueError as error:
            raise UserError(f"camera must be a valid address: {error}; mend it") from error
        if scheme.lower() not in SCHEMES:
            raise UserError(
                f"camera must be an address of a known scheme, got {without_password(path)!r}; "
                f"{nearest(scheme, SCHEMES)}"
            )
        if not host:
            raise UserError(f"camera must name a host after {scheme}://, got {path!r}; mend it")
        if scheme.lower() in ("rtsp", "rtsps"):
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
    parts = urlsplit(url)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        passwords.add_password(None, plain, unquote(parts.username), unquote(parts.password or ""))
    opener = urllib.request.build_opener(
        urllib.request.HTTPBasicAuthHandler(passwords),
        urllib.request.HTTPDigestAuthHandler(passwords),
    )
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


def in_words(error: BaseException) -> str:
    """Why a connection failed, in a few words."""
    reason = getattr(error, "reason", None)
    error = reason if isinstance(reason, BaseException) else error
    if isinstance(error, TimeoutError | socket.timeout):
        return "it took too long"
    return str(getattr(error, "strerror", None) or error or type(error).__name__).lower()


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
