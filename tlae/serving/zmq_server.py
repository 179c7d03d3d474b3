"""The filter of pictures behind a ZeroMQ socket: one message in, one answer out."""

import json
import logging
import signal
import socket
import threading
import time

import zmq

from tlae.errors import UserError
from tlae.explorer.guard import is_loopback
from tlae.image_sets.image_filter import load_image_filter
from tlae.serving.settings import ServeZmqConfig
from tlae.serving.zmq_messages import FilterMessages
from tlae.signals import handled

LOOK_UP_MS = 250  # between looks at whether to stop
COMPLAIN_EVERY_S = 10.0  # bad requests are counted, not each written into the log
MEGABYTE = 1_000_000

logger = logging.getLogger(__name__)


def serve_zmq(cfg: ServeZmqConfig) -> None:
    """Answer until interrupted or terminated."""
    image_filter, facts = load_image_filter(cfg)
    messages = FilterMessages(image_filter, facts, cfg.side_px)
    with (
        FilterServer(messages, cfg.host, cfg.port, cfg.most_mb) as server,
        handled(lambda _: server.stop(), signal.SIGTERM),  # after the message that it is at
    ):
        logger.info(f"filter: {server.address}  (Ctrl+C ends it)")
        if not is_loopback(cfg.host):
            logger.info(
                f"warning: everyone who can reach {cfg.host} can have pictures judged; there is no "
                "password. host=127.0.0.1 keeps it to this machine"
            )
        server.run()


class FilterServer:
    """A bound socket; a context manager that closes it.

    Args:
        messages: that answer.
        host: address to listen on, or a name of one.
        port: 0: any free one.
        most_mb: longest message [MB].

    Attributes:
        address: that clients connect to.

    Raises:
        UserError: the address is not of this machine, or the port is in use.
    """

    def __init__(
        self, messages: FilterMessages, host: str, port: int, most_mb: float = 256.0
    ) -> None:
        self._messages = messages
        self._stop = threading.Event()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.set(zmq.LINGER, 1000)
        self._socket.set(zmq.MAXMSGSIZE, round(most_mb * MEGABYTE))
        try:
            self.address = _bind(self._socket, host, port)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "FilterServer":
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket; answers that are on their way get a second."""
        self._socket.close()
        self._context.term()

    def stop(self) -> None:
        """Let ``run`` return, once the message that it is at is answered; from any thread."""
        self._stop.set()

    def run(self) -> None:
        """Answer until stopped."""
        bad, complained = 0, -COMPLAIN_EVERY_S
        while not self._stop.is_set():
            if not self._socket.poll(LOOK_UP_MS):
                continue
            frames = self._socket.recv_multipart(copy=False)
            begin = _begin_of_body(frames)
            if begin is None:  # sent by something that expects no answer
                continue
            answer, trouble = self._answer([frame.buffer for frame in frames[begin:]])
            self._socket.send_multipart([*(frame.bytes for frame in frames[:begin]), *answer])
            if not trouble:
                continue
            bad += 1
            if time.monotonic() - complained >= COMPLAIN_EVERY_S:
                complained = time.monotonic()
                logger.warning(f"bad requests so far: {bad:,}; the last one: {trouble}")

    def _answer(self, parts: list[memoryview]) -> tuple[list[bytes], str]:
        started = time.monotonic()
        try:
            answer, trouble = self._messages.answer(parts)
        except Exception as error:  # a fault of ours, or no memory: the next client is answered
            logger.exception("a message could not be answered")
            trouble = f"the server failed: {type(error).__name__}"
            header = json.dumps({"status": "failed", "error": trouble}).encode()
            return [header, b""] if len(parts) == 2 else [b""], trouble
        if not trouble:
            seconds = time.monotonic() - started
            logger.info(f"{len(parts[-1]):,} bytes: {len(answer[-1]) // 4} kept, {seconds:.2f} s")
        return answer, trouble


def _begin_of_body(frames: list[zmq.Frame]) -> int | None:
    """Where a message begins after its envelope, which an empty frame ends; None: there is none.

    A socket of kind REP would do this itself, but stops to receive for ever where a peer leaves
    after a message without an envelope.
    """
    ends = (place for place, frame in enumerate(frames[1:-1], start=1) if not len(frame.buffer))
    end = next(ends, None)
    return None if end is None else end + 1


def _bind(listening: "zmq.Socket[bytes]", host: str, port: int) -> str:
    """Bind, and return the address with the port that was taken."""
    try:
        family, *_, (address, *_) = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise UserError(f"host must be an address of this machine, got {host!r}") from error
    if family == socket.AF_INET6:
        listening.set(zmq.IPV6, 1)
        address = f"[{address}]"
    try:
        listening.bind(f"tcp://{address}:{port or '*'}")
    except zmq.ZMQError as error:
        if error.errno == zmq.EADDRINUSE:
            raise UserError(
                f"port must be free, got {port}, which another program uses; give another port, "
                "or port=0 for any free one"
            ) from error
        raise UserError(
            f"host and port must be of this machine, got {host!r} and {port}: {error.strerror}"
        ) from error
    return listening.get_string(zmq.LAST_ENDPOINT)
