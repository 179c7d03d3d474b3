"""What every request must keep to before anything of it is read: password, rate, size, pace."""

import asyncio
import hmac
import json
import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tlae.serving.metrics import Metrics

EXPLORER = "/explore"  # where the explorer of a set of pictures is
# These say nothing of models, cameras and pictures.
OPEN = ("/", "/health", "/docs", "/openapi.json", EXPLORER, f"{EXPLORER}/", f"{EXPLORER}/docs")
OPEN_FOLDERS = ("/page/", f"{EXPLORER}/page/")
UPLOADS = "/api/jobs"
SLOWEST_S = 30.0  # between two parts of a body
BURST_S = 2.0  # of requests that may come at once
MOST_CLIENTS = 10_000  # whose pace is remembered


@dataclass(frozen=True)
class Limit:
    """What a request must keep to.

    Attributes:
        token: password; None: there is none.
        most_bytes: of a body.
        most_upload_bytes: of the body of an upload.
        requests_per_s: of one client, in the long run.
    """

    token: str | None
    most_bytes: float
    most_upload_bytes: float
    requests_per_s: float


class Refusal(Exception):
    """Ends a request; status, sentence, further headers."""

    def __init__(self, status: int, message: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


class Limits:
    """Middleware that refuses, counts and times requests.

    Args:
        app: what is guarded.
        limit: to keep to.
        metrics: that count.
    """

    def __init__(self, app: ASGIApp, limit: Limit, metrics: Metrics) -> None:
        self._app, self._limit, self._metrics = app, limit, metrics
        self._pace: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens left, when

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send, self._most(scope["path"]))
        started = time.monotonic()
        try:
            self._require(scope)
            exchange.require_length(scope)
            await self._app(scope, exchange.receive, exchange.send)
        except Refusal as refusal:
            exchange.refusal = refusal
        except ClientDisconnect:  # nobody hears the answer, but it is counted
            exchange.refusal = Refusal(400, "the body must be whole, the client went away")
        finally:
            await exchange.refuse()
            route = scope.get("root_path", "") + getattr(scope.get("route"), "path", "none")
            self._metrics.requests.labels(scope["method"], route, str(exchange.status)).inc()
            self._metrics.seconds.labels(route).observe(time.monotonic() - started)

    def _most(self, path: str) -> float:
        uploads = path.rstrip("/") == UPLOADS
        return self._limit.most_upload_bytes if uploads else self._limit.most_bytes

    def _require(self, scope: Scope) -> None:
        client = (scope.get("client") or ("",))[0]
        if not self._in_pace(str(client)):
            raise Refusal(
                429,
                f"a client may send {self._limit.requests_per_s:g} requests a second; send fewer",
                (b"retry-after", b"1"),
            )
        path = scope["path"]
        is_open = path in OPEN or path.startswith(OPEN_FOLDERS)
        if self._limit.token is None or is_open:
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(given, b"Bearer " + self._limit.token.encode()):
            raise Refusal(
                401,
                "the header Authorization must be `Bearer` and the token of this server",
                (b"www-authenticate", b"Bearer"),
            )

    def _in_pace(self, client: str) -> bool:
        """A bucket for each client, filled at the rate that is allowed (token bucket)."""
        rate = self._limit.requests_per_s
        full, now = max(1.0, BURST_S * rate), time.monotonic()
        left, since = self._pace.pop(client, (full, now))
        left = min(full, left + rate * (now - since))
        self._pace[client] = (left - 1 if left >= 1 else left), now
        if len(self._pace) > MOST_CLIENTS:
            self._pace.popitem(last=False)
        return left >= 1


class _Exchange:
    """One request and its answer, with what is wrong with it."""

    def __init__(self, receive: Receive, send: Send, most: float) -> None:
        self._receive, self._send, self._most = receive, send, most
        self._read, self._complete, self._begun = 0, False, False
        self.status = 0
        self.refusal: Refusal | None = None

    def require_length(self, scope: Scope) -> None:
        """Refuse by the length that the client promises."""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._most:
            raise self._too_long()

    async def receive(self) -> Message:
        """The next part of the body."""
        try:
            async with asyncio.timeout(None if self._complete else SLOWEST_S):
                message = await self._receive()
        except TimeoutError as error:
            self.refusal = Refusal(408, f"a body must not pause for {SLOWEST_S:g} s; send it again")
            raise self.refusal from error
        self._complete = not message.get("more_body", False)
        self._read += len(message.get("body", b""))
        if self._read > self._most:
            self.refusal = self._too_long()
            raise self.refusal
        return message

    async def send(self, message: Message) -> None:
        """A part of the answer; of a request that is refused, the refusal stands in for it."""
        if self.refusal is not None and not self._begun:
            return
        if message["type"] == "http.response.start":
            self._begun, self.status = True, message["status"]
        await self._send(message)

    async def refuse(self) -> None:
        """Answer with the refusal, where there is one."""
        if self.refusal is None or self._begun:
            return
        self._begun, self.status = True, self.refusal.status
        body = json.dumps({"error": str(self.refusal)}).encode()
        headers = [(b"content-type", b"application/json"), *self.refusal.headers]
        headers.append((b"content-length", str(len(body)).encode()))
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _too_long(self) -> Refusal:
        return Refusal(413, f"the body must have at most {self._most / 1e6:g} MB; send less")
