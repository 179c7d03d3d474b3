"""Where messages go: a file, a receiver over HTTP, a program."""

import base64
import hashlib
import hmac
import json
import logging
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Protocol

from tlae.errors import UserError
from tlae.http_client import in_words, without_password
from tlae.watching.settings import CommandConfig, WebhookConfig
from tlae.watching.store import FILE_SINK
from tlae.whole_file import explain_os_errors

SECRET_PREFIX = "whsec_"  # of a secret in base64, by the convention of Standard Webhooks
REFUSED = (400, 413, 422)  # the receiver will never take this message
KNOWN = (409,)  # it has it already
TAIL_BYTES = 65_536
KILL_AFTER_S = 2.0

logger = logging.getLogger(__name__)


class Undelivered(Exception):
    """Why a message did not arrive, in a few words; it is sent again later."""


class Refused(Exception):
    """Why a message will never be taken; it is not sent again."""


class Sink(Protocol):
    """One place that gets every message, in order."""

    name: str

    def send(self, name: str, body: str) -> None:
        """Deliver a message.

        Args:
            name: id of the message, the same at every try.
            body: its JSON.

        Raises:
            Undelivered: to be tried again.
            Refused: not to be tried again.
        """
        ...

    def check(self) -> None:
        """Look whether a message would arrive, while there is none.

        Raises:
            Undelivered: it is known that none would.
        """
        ...

    def close(self) -> None:
        """Nothing more will be sent."""
        ...


class FileSink:
    """One line for each message in ``events.jsonl``.

    Args:
        path: of the file; a line that a kill cut short is removed.

    Raises:
        UserError: it cannot be written.
    """

    name = FILE_SINK

    def __init__(self, path: Path) -> None:
        self._path = path
        with explain_os_errors(path):
            path.touch()
            self._last = self._last_id()

    def send(self, name: str, body: str) -> None:
        """Append the message, unless it is the last one there already."""
        if name == self._last:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{body}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._last_id()  # removes what was written of the line
            raise Undelivered(f"cannot be written: {error.strerror or error}") from error
        self._last = name

    def check(self) -> None:
        """Nothing is known between messages."""

    def close(self) -> None:
        """Nothing is open between messages."""

    def _last_id(self) -> str:
        """Id of the last message in the file."""
        with self._path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().splitlines(keepends=True)
            if lines and not lines[-1].endswith(b"\n"):
                size -= len(lines.pop())
                file.truncate(size)
        try:
            return str(json.loads(lines[-1])["id"]) if lines else ""
        except (ValueError, LookupError, TypeError):
            return ""


class WebhookSink:
    """Post each message as JSON, signed as Standard Webhooks are.

    Args:
        cfg: where, and the file of the secret.

    Raises:
        UserError: the file of the secret cannot be read or is empty.
    """

    name = "webhook"

    def __init__(self, cfg: WebhookConfig) -> None:
        assert cfg.url is not None
        self._url, self._timeout_s = cfg.url, cfg.timeout_s
        self._secret: bytes | None = None
        if cfg.secret_file is not None:
            self._secret = read_secret(Path(cfg.secret_file), "webhook.secret_file")
        self._opener = urllib.request.build_opener(_NoRedirect())

    def send(self, name: str, body: str) -> None:
        """Post the message; only an answer of 2xx counts as received."""
        data, sent_at = body.encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "tlae",
            "Idempotency-Key": name,
            "webhook-id": name,
            "webhook-timestamp": sent_at,
        }
        if self._secret is not None:
            headers["webhook-signature"] = signature(self._secret, name, sent_at, data)
        request = urllib.request.Request(self._url, data, headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                answer.read(TAIL_BYTES)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in KNOWN:
                return
            text = f"{without_password(self._url)} answers {error.code} {error.reason}"
            raise (Refused if error.code in REFUSED else Undelivered)(text) from error
        except (OSError, HTTPException, ValueError) as error:
            text = f"{without_password(self._url)} does not answer: {in_words(error)}"
            raise Undelivered(text) from error

    def check(self) -> None:
        """Nothing is known between messages."""

    def close(self) -> None:
        """Nothing is open between messages."""


class CommandSink:
    """Run a program for each message, which is on its standard input.

    Args:
        cfg: the program and its time limit.
    """

    name = "command"

    def __init__(self, cfg: CommandConfig) -> None:
        self._cfg = cfg

    def send(self, name: str, body: str) -> None:
        """Run the program; only the exit status 0 counts as received."""
        program = self._cfg.run[0]
        try:
            process = subprocess.Popen(
                self._cfg.run,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "TLAE_MESSAGE_ID": name},
                start_new_session=True,
            )
        except OSError as error:
            raise Undelivered(f"{program} cannot be run: {error.strerror or error}") from error
        try:
            process.communicate(body.encode(), timeout=self._cfg.timeout_s)
        except subprocess.TimeoutExpired as error:
            _end(process)
            raise Undelivered(f"{program} took over {self._cfg.timeout_s:g} s") from error
        if process.returncode:
            raise Undelivered(f"{program} ended with status {process.returncode}")

    def check(self) -> None:
        """Nothing is known between messages."""

    def close(self) -> None:
        """Nothing runs between messages."""


def signature(secret: bytes, name: str, sent_at: str, body: bytes) -> str:
    """Value of the header ``webhook-signature``.

    Args:
        secret: shared with the receiver.
        name: id of the message, header ``webhook-id``.
        sent_at: Unix time in seconds, header ``webhook-timestamp``.
        body: of the request.
    """
    signed = b".".join((name.encode(), sent_at.encode(), body))
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def read_secret(path: Path, setting: str) -> bytes:
    """Content of a file without the white space around it; base64 after ``whsec_``.

    Raises:
        UserError: it cannot be read, or is empty.
    """
    try:
        text = path.expanduser().read_text(encoding="utf-8").strip()
        secret = text.encode()
        if text.startswith(SECRET_PREFIX):
            secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"{setting} must be a file with a secret, got {path}: {reason}; write one"
        ) from error
    if not secret:
        raise UserError(f"{setting} must hold a secret, {path} is empty; write one")
    return secret


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program and what it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=KILL_AFTER_S)
            return


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET: it counts as not received."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow nothing."""
