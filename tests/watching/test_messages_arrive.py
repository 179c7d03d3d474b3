"""Messages reach their receivers once, whatever happens on the way."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_footage import small_model, write_clips
from tests.watching.running import (
    Running,
    messages_in,
    require_whole,
    scores_in,
    settings,
    wait_until,
)
from tests.watching.servers import Received, receiver
from tlae.model_file import save_model

ODD = (*range(6, 10), *range(25, 33))
TIMED = (
    *("scoring.threshold=0.46", "events.low=1", "events.merge_s=0.2"),
    "camera.interval_s=0.1",
)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "gate.safetensors"
    save_model(small_model("convlstm"), path)
    return path


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("stills")
    write_clips(root, (50,), odd=tuple((0, n) for n in ODD))
    return sorted((root / "c0").iterdir())


@pytest.fixture(scope="module")
def expected(
    model_file: Path, stills: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[str, dict[str, object]]]:
    """Types and events of the messages of a watch that nothing disturbs."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    words = settings(model_file, stills[0].parent, out, *TIMED, "camera.stop_idle_s=2")
    watch = Running(words)
    watch.wait_for(lambda: watch.report is not None)
    watch.stop()
    return said(messages_in(out))


def said(messages: list[dict[str, object]]) -> list[tuple[str, dict[str, object]]]:
    return [(str(one["type"]), dict(one["event"])) for one in messages]  # type: ignore[call-overload]


def test_a_receiver_that_is_down_gets_everything_once_it_is_back(
    model_file: Path, stills: list[Path], tmp_path: Path
) -> None:
    received, secret = Received(status=503), tmp_path / "secret"
    nobody = {"webhook": {"waiting": 0}}
    secret.write_text("a secret\n", encoding="utf-8")
    with receiver(received) as url:
        places = [f"webhook.url={url}/x", f"webhook.secret_file={secret}"]
        words = settings(model_file, stills[0].parent, tmp_path / "out", *TIMED, *places)
        watch = Running(words)
        watch.wait_for(lambda: watch.status().get("sinks", nobody)["webhook"]["waiting"] == 4)
        assert "503" in watch.status()["sinks"]["webhook"]["trouble"]
        watch.stop()  # the outbox outlives the process
        received.status = 200
        watch = Running(words)
        watch.wait_for(lambda: len(received.messages) == 4)
        watch.stop()
    assert received.tries > 4
    assert received.messages == messages_in(tmp_path / "out")
    require_whole(received.messages)
    for headers, body in zip(received.headers, received.bodies, strict=True):
        name, at = headers["webhook-id"], headers["webhook-timestamp"]
        assert name == json.loads(body)["id"]
        digest = hmac.new(b"a secret", f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_a_program_gets_each_message_and_a_dry_run_sends_none(
    model_file: Path, stills: list[Path], tmp_path: Path
) -> None:
    program = tmp_path / "take.py"
    program.write_text(
        "import os, sys, pathlib\n"
        "place = pathlib.Path(sys.argv[1], os.environ['TLAE_MESSAGE_ID'])\n"
        "place.write_bytes(sys.stdin.buffer.read())",
        encoding="utf-8",
    )
    for name, count, more in (("dry", 0, ["dry_run=true"]), ("wet", 4, [])):
        got = tmp_path / name
        got.mkdir()
        run = f"command.run=[{sys.executable},{program},{got}]"
        out = tmp_path / f"{name}-out"
        watch = Running(settings(model_file, stills[0].parent, out, *TIMED, run, *more))
        watch.wait_for(lambda out=out: len(messages_in(out)) == 4)  # type: ignore[misc]
        watch.stop()
        bodies = [json.loads(path.read_bytes()) for path in got.iterdir()]
        assert len(bodies) == count
        assert all(body in messages_in(out) for body in bodies)


def test_a_kill_loses_no_event_and_repeats_none(
    model_file: Path,
    stills: list[Path],
    tmp_path: Path,
    expected: list[tuple[str, dict[str, object]]],
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    words = settings(model_file, folder, out, *TIMED)
    received, left = Received(), list(stills)
    with receiver(received) as url:
        command = [sys.executable, "-m", "tlae", "watch", *words, f"webhook.url={url}"]
        for until in (8, 27, len(stills)):  # twice amid an event
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            try:
                while len(stills) - len(left) < until:
                    file = left.pop(0)
                    (folder / file.name).write_bytes(file.read_bytes())
                wait_until(lambda until=until: count_scores(out) >= until)  # type: ignore[misc]
                if until == len(stills):
                    wait_until(lambda: len(received.messages) >= len(expected))
                    process.send_signal(signal.SIGTERM)
                    assert process.wait(60) == 0
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
    assert [row[0] for row in scores_in(out)] == [file.name for file in stills]
    assert relabelled(said(messages_in(out))) == relabelled(expected)
    by_id = {message["id"]: message for message in received.messages}
    assert list(by_id.values()) == messages_in(out)


def relabelled(
    messages: list[tuple[str, dict[str, object]]],
) -> list[tuple[str, dict[str, object]]]:
    """Without the name of the clip, which is that of the folder."""
    return [(kind, event | {"clip": ""}) for kind, event in messages]


def count_scores(out: Path) -> int:
    return len(scores_in(out)) if (out / "status.json").is_file() else 0


def test_ctrl_c_ends_with_130(model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    words = settings(model_file, tmp_path / "in", tmp_path / "out", "log=json")
    command = [sys.executable, "-m", "tlae", "watch", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until((tmp_path / "out/status.json").is_file)
        os.kill(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert all(json.loads(line)["text"] for line in out.splitlines())
    assert b"interrupted; the same command continues" in error
