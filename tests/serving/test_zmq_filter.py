"""The filter over ZeroMQ, as clients see it: real sockets on this machine."""

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

pytest.importorskip("zmq", reason="needs the extra serve")

import zmq

from tests.serving.judges import fit_judges, picture
from tests.serving.test_serve_commands import refused
from tlae.cli import main
from tlae.image_sets.image_filter import ImageFilter
from tlae.image_sets.picture_judge import load_picture_judge
from tlae.serving.zmq_messages import FilterMessages
from tlae.serving.zmq_server import FilterServer

LONGEST_MS = 120_000
KINDS = ("forest", "sea", "stamp", "forest")
KEPT = [0, 3]  # of pictures of these kinds


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return fit_judges(tmp_path_factory.mktemp("judges"))


@pytest.fixture(scope="module")
def server(models: tuple[Path, Path]) -> Iterator[FilterServer]:
    novelty, second = (
        load_picture_judge(file, kind)
        for file, kind in zip(models, ("novelty", "filter"), strict=True)
    )
    messages = FilterMessages(ImageFilter(novelty, second), {"name": "forest"})
    with FilterServer(messages, "127.0.0.1", 0, most_mb=64) as running:
        thread = threading.Thread(target=running.run)
        thread.start()
        yield running
        running.stop()
        thread.join()


@pytest.fixture
def client(server: FilterServer) -> Iterator[Any]:
    """A plain client, written from the description of the protocol alone."""
    context = zmq.Context()
    socket = context.socket(zmq.REQ)
    socket.set(zmq.LINGER, 0)
    socket.set(zmq.RCVTIMEO, LONGEST_MS)
    socket.connect(server.address)
    yield socket
    socket.close()
    context.term()


def pictures(count: int, side: int) -> np.ndarray:
    return np.stack([picture(KINDS[n % len(KINDS)], n, side) for n in range(count)])


def ask(client: Any, images: np.ndarray) -> list[int]:
    client.send(images, copy=False)
    return list(np.frombuffer(client.recv(), np.int32))


def ask_framed(client: Any, header: object, pixels: bytes = b"") -> tuple[dict[str, Any], bytes]:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    client.send_multipart([head, pixels])
    answer, kept = client.recv_multipart()
    return json.loads(answer), kept


@pytest.mark.parametrize(("side", "count"), [(512, 1), (512, 8), (448, 8)])
def test_bare_pictures_are_answered_by_indices(client: Any, side: int, count: int) -> None:
    expected = [n for n in range(count) if n % len(KINDS) in KEPT]
    assert ask(client, pictures(count, side)) == expected


def test_sixty_four_pictures_and_a_repeated_batch(client: Any) -> None:
    images = pictures(64, 512)
    first = ask(client, images)
    assert first == [n for n in range(64) if n % len(KINDS) in KEPT]
    assert ask(client, images) == first
    assert ask(client, images[1:3]) == []


def test_the_side_of_bare_pictures_can_be_fixed(models: tuple[Path, Path]) -> None:
    images = pictures(64, 448)  # as long as 49 pictures of 512 x 512
    known = ImageFilter(load_picture_judge(models[0], "novelty"))
    ((kept,), _) = FilterMessages(known, {}, side_px=448).answer([images.tobytes()])
    assert list(np.frombuffer(kept, np.int32)) == [n for n in range(64) if n % len(KINDS) != 1]


def test_pictures_are_judged_as_the_command_judges_files(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    images = pictures(8, 96)
    (tmp_path / "new").mkdir()
    for number, image in enumerate(images):
        cv2.imwrite(str(tmp_path / f"new/{number}.png"), image[..., ::-1])
    for file, kind in zip(models, ("novelty", "filter"), strict=True):
        words = [f"model_file={file}", f"images={tmp_path}/new", f"out={tmp_path}/{kind}"]
        assert main([kind, "score", *words, "pictures=0"]) == 0
        table = pd.read_parquet(tmp_path / f"{kind}/verdicts.parquet")
        scores = load_picture_judge(file, kind).scores(images)
        np.testing.assert_allclose(scores, table["score"], rtol=1e-9)


def test_framed_messages_say_more(client: Any) -> None:
    images = pictures(4, 128)
    asked = {"ask": "judge", "id": "a1", "shape": list(images.shape)}
    answer, kept = ask_framed(client, asked, images.tobytes())
    assert answer["status"] == "ok"
    assert answer["id"] == "a1"
    assert answer["model"] == {"name": "forest"}
    assert answer["keep"] == KEPT == list(np.frombuffer(kept, np.int32))
    above = [score > answer["threshold"] for score in answer["scores"]]
    assert above == [False, True, False, False]
    assert [one is None for one in answer["filter_scores"]] == above
    answer, _ = ask_framed(client, {"ask": "ping"})
    assert answer["status"] == "ok"


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (b"{", "JSON object"),
        (b'{"shape": NaN}', "JSON object"),
        (b"[" * 100_000, "JSON object"),
        ([1], "JSON object, got [1]"),
        ({"ask": "dance"}, 'ask must be "judge" or "ping"'),
        ({}, "[B, H, W, 3]"),
        ({"shape": [1, 8, 8, 4]}, "[B, H, W, 3]"),
        ({"shape": [-1, 8, 8, 3]}, "[B, H, W, 3]"),
        ({"shape": [1, True, 8, 3]}, "[B, H, W, 3]"),
        ({"shape": [2, 8, 8, 3]}, "uint8 of shape"),
        ({"shape": [1, 1, 64, 3]}, "H and W must be >= 2"),
        ({"shape": [1001, 2, 2, 3]}, "at most 1,000 pictures, got 1,001; send several"),
        (b'{"shape": [1, 9000000000000000000000, 8, 3], "id": 1e999}', "uint8 of shape"),
    ],
)
def test_a_framed_request_that_is_wrong_learns_why(client: Any, header: object, shown: str) -> None:
    answer, kept = ask_framed(client, header, bytes(192))
    assert answer["status"] == "bad request"
    assert shown in answer["error"]
    assert kept == b""


def test_malformed_messages_never_end_it(
    client: Any, server: FilterServer, caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(0)
    word = json.dumps({"ask": "judge", "shape": [1, 8, 8, 3]}).encode()
    with caplog.at_level(logging.ERROR):
        for _ in range(10_000):
            parts = [rng.bytes(int(rng.integers(0, 400))) for _ in range(rng.integers(1, 5))]
            if rng.random() < 0.3:  # a header with a few bytes of it changed
                head = bytearray(word)
                for place in rng.integers(0, len(head), 3):
                    head[place] = rng.integers(0, 256)
                parts = [bytes(head), parts[0]]
            client.send_multipart(parts)
            answer = client.recv_multipart()
            assert len(answer) == (2 if len(parts) == 2 else 1)
            assert answer[-1] == b""
    assert not caplog.records
    raw = zmq.Context.instance().socket(zmq.DEALER)  # does not keep to request and reply
    raw.set(zmq.LINGER, 0)
    raw.connect(server.address)
    for parts in ([b"x"], [b""], [b"", b"", b""], [b"x", b"y", b"z"]):
        raw.send_multipart(parts)
    raw.close()
    assert ask(client, pictures(4, 512)) == KEPT


def test_peers_that_leave_after_a_message_without_an_envelope_stop_nobody(
    client: Any, server: FilterServer
) -> None:
    for _ in range(400):
        raw = zmq.Context.instance().socket(zmq.DEALER)
        raw.set(zmq.LINGER, 0)
        raw.connect(server.address)
        for parts in ([b"x"], [b""], [b"", b"", b""], [b"x", b"y", b"z"]):
            raw.send_multipart(parts)
        raw.close()
        client.send(b"nothing of that")
        assert client.recv() == b""


def test_a_fault_of_ours_is_answered_too(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def answer(self, parts: object) -> object:
            raise MemoryError

    with FilterServer(Broken(), "localhost", 0) as server:  # type: ignore[arg-type]
        assert server._answer([memoryview(b"x")])[0] == [b""]
        head, kept = server._answer([memoryview(b"{}"), memoryview(b"")])[0]
        assert json.loads(head)["status"] == "failed"
        assert kept == b""


def test_what_cannot_be_served_is_one_line(
    models: tuple[Path, Path], server: FilterServer, capsys: pytest.CaptureFixture[str]
) -> None:
    novelty, second = models
    port = server.address.rpartition(":")[2]
    command = ["serve", "zmq", f"model_file={novelty}"]
    assert f"port must be free, got {port}" in refused([*command, f"port={port}"], capsys)
    assert "host must be" in refused([*command, "host=no.such.name.invalid"], capsys)
    assert "of this machine" in refused([*command, "host=203.0.113.1"], capsys)
    assert "must be written by `tlae novelty fit`, this one is by `tlae filter fit`" in refused(
        ["serve", "zmq", f"model_file={second}"], capsys
    )
    assert "must be an existing file" in refused([*command, "filter=none.safetensors"], capsys)
    assert "filter_threshold needs filter" in refused([*command, "filter_threshold=0.4"], capsys)
