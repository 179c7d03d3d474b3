"""What a server on one's own machine must refuse: other sites that speak through the browser."""

import ipaddress
import json
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = (  # the page loads nothing from elsewhere, and nothing elsewhere loads it
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Middleware that answers only requests meant for this server.

    A page of another site can have its own name resolve to 127.0.0.1 (DNS rebinding). Then the Host
    header holds that name; so the host must be an address, ``localhost`` or the name given.

    Args:
        app: what is guarded.
        host: that the server listens on.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app, self.host = app, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(headers.get(b"host", ""), headers.get(b"origin"))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        if refusal is None:
            await self.app(scope, receive, send_with_headers)
            return
        body = json.dumps({"error": refusal}).encode()
        kind = [(b"content-type", b"application/json")]
        await send_with_headers({"type": "http.response.start", "status": 403, "headers": kind})
        await send({"type": "http.response.body", "body": body})

    def _refusal(self, host: str, origin: str | None) -> str | None:
        name = _name(f"//{host}")
        if not (name in ("localhost", self.host) or _is_address(name)):
            return f"the Host header must name this server, got {host!r}"
        if origin is not None and urlsplit(origin).netloc != host:
            return f"requests of other sites are refused, this one came from {origin!r}"
        return None


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
