"""What is common to asking other servers over HTTP: login, bounded answers, reasons in words."""

import re
import time
import urllib.request
from http.client import HTTPResponse
from urllib.parse import unquote, urlsplit, urlunsplit

PART_BYTES = 1 << 16

LoginHandlers = tuple[urllib.request.HTTPBasicAuthHandler, urllib.request.HTTPDigestAuthHandler]


class TooLong(Exception):
    """An answer has more bytes than are wanted."""


class CutShort(OSError):
    """A connection ended before the whole answer was there; `http.client` passes over that."""


def without_password(url: str) -> str:
    """An address as it may be shown: without the password in it, and without a query's values."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return url
    user, at, host = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}:***{at}{host}" if ":" in user else parts.netloc
    query = re.sub(r"=[^&]*", "=***", parts.query)
    return urlunsplit(parts._replace(netloc=netloc, query=query))


def login_of(url: str) -> tuple[str, LoginHandlers]:
    """Take name and password out of an address.

    Args:
        url: of HTTP.

    Returns:
        The address without them, and what answers a server that asks for Basic or Digest login.
    """
    parts = urlsplit(url)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        passwords.add_password(None, plain, unquote(parts.username), unquote(parts.password or ""))
    basic = urllib.request.HTTPBasicAuthHandler(passwords)
    return plain, (basic, urllib.request.HTTPDigestAuthHandler(passwords))


def body_of(answer: HTTPResponse, most_bytes: float, timeout_s: float) -> bytes:
    """The whole body of an answer, in bounded time and size.

    Args:
        answer: just opened.
        most_bytes: that it may have.
        timeout_s: within which it must be there; a server that drips exceeds it by at most the
            timeout of its connection.

    Raises:
        TooLong: it has more bytes.
        TimeoutError: it takes longer.
        OSError, HTTPException: the connection breaks, also before all is there that was announced.
    """
    ends_s = time.monotonic() + timeout_s
    parts, size = list[bytes](), 0
    while part := answer.read1(PART_BYTES):
        parts.append(part)
        size += len(part)
        if size > most_bytes:
            raise TooLong
        if time.monotonic() > ends_s:
            raise TimeoutError
    announced = answer.headers.get("Content-Length", "")
    if not answer.chunked and announced.isdecimal() and size < int(announced):
        raise CutShort(f"{size:,} of {int(announced):,} bytes came")
    return b"".join(parts)


def in_words(error: BaseException) -> str:
    """Why a connection failed, in a few words."""
    reason = getattr(error, "reason", None)
    error = reason if isinstance(reason, BaseException) else error
    if isinstance(error, TimeoutError):
        return "it took too long"
    return str(getattr(error, "strerror", None) or error or type(error).__name__).lower()
