"""`tlae serve` under load: throughput beside offline scoring, latency, and wrong or lost answers.

    python scripts/serve_load.py MODEL.safetensors FOOTAGE [--seconds 60] [--clients 8]

Each client is a camera: it pushes JPEGs to a session of its own, as fast as they are answered, and
compares each raw score with that of `tlae score` on the same files. After a third of the time the
server is killed (-9) and started again with the same state; after two thirds another model takes
the place of the first, and sessions that begin then must score by it. Clients repeat what was not
answered, from the frame that the session expects.
"""

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

import tlae
from tlae.footage.sources import Footage
from tlae.lab.speed.timing import cpu_s
from tlae.model_file import Model, load_model, save_model

TOLERANCE = 1e-5
RETRY_S = 0.2
LONGEST_S = 600.0  # that a client waits for the server to return
NAME = "gate"

Scores = npt.NDArray[np.float64]


@dataclass
class Load:
    """What all clients share.

    Attributes:
        bodies: frames as JPEG.
        interval_s: time between them [s].
        expected: raw scores by the digest of the model.
        session_frames: frames of a session.
        port: of the server.
        ends_s: no client sends a frame after it, by the monotonic clock.
    """

    bodies: list[bytes]
    interval_s: float
    expected: dict[str, Scores]
    session_frames: int
    port: int = 0
    ends_s: float = 0.0


@dataclass
class Client(threading.Thread):
    """One camera."""

    load: Load
    answers: list[tuple[float, float, str]] = field(default_factory=list)  # when, s, digest
    wrong: int = 0
    lost: int = 0
    retries: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Watch one session after the other."""
        while time.monotonic() < self.load.ends_s:
            facts = self._ask("POST", "/api/sessions", json.dumps({"model": NAME}).encode())
            self._watch(facts["id"], facts["digest"])
            self._ask("DELETE", f"/api/sessions/{facts['id']}")
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if hasattr(self, "_line"):
            self._line.close()
            del self._line

    def _watch(self, session: str, digest: str) -> None:
        expected, number = self.load.expected[digest][: self.load.session_frames], 0
        answered: set[int] = set()
        while number < len(expected) and time.monotonic() < self.load.ends_s:
            place = f"/api/sessions/{session}/frames?time_s={number * self.load.interval_s!r}"
            began = time.monotonic()
            try:
                seen = self._send("POST", place, self.load.bodies[number])
            except (OSError, http.client.HTTPException):
                self.retries += 1
                facts = self._ask("GET", f"/api/sessions/{session}")
                assert facts["digest"] == digest, facts
                answered |= self._known(session, expected, range(number, facts["frames"]))
                number = facts["frames"]  # what the server still knows
                continue
            self.answers.append((began, time.monotonic() - began, digest))
            self._compare(seen["raw"], expected[number])
            answered.add(number)
            number += 1
        self.lost += len(set(range(number)) - answered)

    def _known(self, session: str, expected: Scores, numbers: range) -> set[int]:
        """Compare frames that were scored, but whose answer the kill cut off, by the curve."""
        if not numbers:
            return set()
        curve = self._ask("GET", f"/api/sessions/{session}/points?after={numbers[0] - 1}")
        for point in curve["points"]:
            self._compare(point["raw"], expected[point["frame"]])
        return {point["frame"] for point in curve["points"]}

    def _compare(self, raw: float | None, expected: float) -> None:
        found = np.nan if raw is None else raw
        close = np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        self.wrong += not close

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Ask until the server answers."""
        limit = time.monotonic() + LONGEST_S
        while True:
            try:
                return self._send(method, path, body)
            except (OSError, http.client.HTTPException):
                if time.monotonic() > limit:
                    raise
                time.sleep(RETRY_S)

    def _send(self, method: str, path: str, body: bytes | None) -> Any:
        try:
            if not hasattr(self, "_line"):
                self._line = http.client.HTTPConnection("127.0.0.1", self.load.port, timeout=120)
            kind = {"Content-Type": "application/json"} if path == "/api/sessions" else {}
            self._line.request(method, path, body, kind)
            answer = self._line.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.status == 404 and method == "DELETE":  # the kill cut off the answer to the first
            return None
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {content.decode()}")
        return json.loads(content)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("footage")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--frames", type=int, default=500, help="of the footage")
    parser.add_argument("--session-frames", type=int, default=100, help="until a new session")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(asked, Path(name))


def measure(asked: argparse.Namespace, home: Path) -> None:
    """Offline, under load, and offline once more."""
    first = load_model(asked.model)
    other = replace(first, rule=replace(first.rule, unit=2 * first.rule.unit))
    files = [home / "models" / NAME / "model.safetensors", home / "other.safetensors"]
    for path, model in zip(files, (first, other), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_model(model, path)
    first, other = (load_model(path) for path in files)
    second = other.digest()
    bodies, interval_s = write_frames(asked.footage, home / "frames", asked.frames)
    offline = [Offline.of(model, home, interval_s) for model in (first, other)]
    expected = {first.digest(): offline[0].raw, second: offline[1].raw}
    load = Load(bodies, interval_s, expected, asked.session_frames)
    clients = [Client(load) for _ in range(asked.clients)]
    server = started(home, load)
    load.ends_s = time.monotonic() + asked.seconds
    marks, used_s = [time.monotonic()], cpu_s(server.pid)
    for client in clients:
        client.start()
    time.sleep(asked.seconds / 3)
    marks.append(time.monotonic())
    used_s = cpu_s(server.pid) - used_s
    server.kill()
    server.wait()
    server = started(home, load)
    marks.append(time.monotonic())
    load.ends_s = max(load.ends_s, marks[-1] + asked.seconds / 2)
    time.sleep(asked.seconds / 4)
    files[1].replace(files[0])
    swap = Client(load)
    swap._ask("POST", f"/api/models/{NAME}/load", b"")
    swap.close()
    for client in clients:
        client.join()
    server.terminate()
    server.wait()
    offline.append(Offline.of(load_model(files[0]), home, interval_s))
    tell(clients, marks, load, offline, second, used_s)


def write_frames(footage: str, folder: Path, most: int) -> tuple[list[bytes], float]:
    """Frames as JPEG files, their bytes, and the time between them [s]."""
    opened = tlae.open_footage(footage)
    folder.mkdir()
    bodies: list[bytes] = []
    for frame in opened.clips[0].frames():
        if frame.image is not None:
            bodies.append(cv2.imencode(".jpg", frame.image[..., ::-1])[1].tobytes())
            (folder / f"{len(bodies):05d}.jpg").write_bytes(bodies[-1])
        if len(bodies) == most:
            break
    return bodies, round(median_interval(opened), 6)


def median_interval(footage: Footage) -> float:
    """Of the first clip [s]."""
    times = [frame.time_s for frame, _ in zip(footage.clips[0].frames(), range(50), strict=False)]
    return float(np.median(np.diff(times)))


@dataclass(frozen=True)
class Offline:
    """One run of `tlae score` over the frames, with decoding.

    Attributes:
        raw: scores.
        pace: frames a second.
        cpu_ms: processor time of a frame.
    """

    raw: Scores
    pace: float
    cpu_ms: float

    @classmethod
    def of(cls, model: Model, home: Path, interval_s: float) -> "Offline":
        """Score them, without what an earlier run decoded."""
        settings = {"scoring.causal": True, "device": "cpu", "footage.interval_s": interval_s}
        with tempfile.TemporaryDirectory(dir=home) as cache:
            settings["paths.cache"] = cache
            began, used_s = time.monotonic(), time.process_time()
            scores = tlae.score(model, home / "frames", settings=settings, progress=False)
            raw = scores.table["raw"].to_numpy(np.float64)
            seconds, used_s = time.monotonic() - began, time.process_time() - used_s
        return cls(raw, len(raw) / seconds, 1000 * used_s / len(raw))


def started(home: Path, load: Load) -> "subprocess.Popen[str]":
    """The server, once it answers; its port goes to the clients."""
    words = [f"models={home}/models", f"state={home}/state", "port=0", "device=cpu"]
    server = subprocess.Popen(
        [sys.executable, "-m", "tlae", "serve", *words, "most_sessions=1000"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.match(r"page: http://\S+?:(\d+)/", line):
            load.port = int(found[1])
            threading.Thread(target=server.communicate, daemon=True).start()
            return server
    raise SystemExit("the server did not start")


def tell(
    clients: list[Client],
    marks: list[float],
    load: Load,
    offline: list[Offline],
    other: str,
    used_s: float,
) -> None:
    """The table."""
    answers = [answer for client in clients for answer in client.answers]
    began, killed, back = marks
    ends = load.ends_s
    calm = [
        (when, s)
        for when, s, _ in answers
        if when + s < killed or (when > back + 1 and when + s < ends)
    ]
    seconds = killed - began + ends - back - 1
    pace, times = len(calm) / seconds, np.array([s for _, s in calm])
    busy = Path("/proc/loadavg").read_text(encoding="utf-8").split()[:3]
    print(f"load average: {' '.join(busy)}")
    before = sum(when < killed for when, *_ in answers)
    rows = {
        "clients": f"{len(clients)}",
        "frames answered": f"{len(answers):,}",
        "of them by the second model": f"{sum(digest == other for _, _, digest in answers):,}",
        "wrong": f"{sum(client.wrong for client in clients)}",
        "lost": f"{sum(client.lost for client in clients)}",
        "requests repeated": f"{sum(client.retries for client in clients)}",
        "server away": f"{back - killed:.1f} s",
        "frames a second": f"{pace:.1f}",
        "offline, twice before and once after": ", ".join(f"{one.pace:.1f}" for one in offline),
        "ratio": f"{pace / np.mean([one.pace for one in offline]):.2f}",
        "p50": f"{1000 * np.median(times):.0f} ms",
        "p99": f"{1000 * np.quantile(times, 0.99):.0f} ms",
        "processor time of a frame": f"{1000 * used_s / max(1, before):.1f} ms",
        "the same offline": ", ".join(f"{one.cpu_ms:.1f} ms" for one in offline),
    }
    print("| | |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
