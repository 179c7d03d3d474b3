"""How many cameras two cores carry: a process of `tlae watch` for each, over MJPEG.

    python scripts/watch_cameras.py MODEL.safetensors FOOTAGE [--cameras 4] [--fps 5] [--seconds 60]

The frames of the footage are played in a loop as JPEGs of 640x480, with a white square for two
seconds in every ten. The threshold lies half way between what the frames score without and with it.
A camera's processor time is that of its process, after its start. Latency is from the arrival of
the frame with which an event begins to the receipt of its message.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np

import tlae
from tlae.footage.frames import Image
from tlae.lab.speed.timing import cpu_s

SIZE_WH = (640, 480)
EVERY_S, ODD_S = 10.0, 2.0  # an event, and how long it lasts
SETTLE_S = 5.0  # after the last camera is online


@dataclass
class Stage:
    """What the cameras send, and what arrives of it.

    Attributes:
        plain, odd: JPEGs of the same frames, without and with the square.
        fps: frames a second.
        latencies_s: of messages about events that begin.
        ends: no camera sends any more.
    """

    plain: list[bytes]
    odd: list[bytes]
    fps: float
    latencies_s: list[float] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)

    def frame(self, number: int) -> bytes:
        """The JPEG that a camera sends as its n-th."""
        is_odd = number / self.fps % EVERY_S >= EVERY_S - ODD_S
        return (self.odd if is_odd else self.plain)[number % len(self.plain)]


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("footage")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--frames", type=int, default=200, help="of the loop")
    asked = parser.parse_args()
    plain = frames_of(asked.footage, asked.frames)
    odd = [with_square(image) for image in plain]
    threshold = between(asked.model, plain, odd, asked.fps)
    stage = Stage([jpeg(one) for one in plain], [jpeg(one) for one in odd], asked.fps)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(stage))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        measure(asked, stage, f"http://127.0.0.1:{server.server_address[1]}", threshold, Path(name))
    server.shutdown()
    server.server_close()


def measure(
    asked: argparse.Namespace, stage: Stage, url: str, threshold: float, home: Path
) -> None:
    """Watch all cameras for so many seconds."""
    outs = [home / f"camera{number}" for number in range(asked.cameras)]
    watches = []
    for out in outs:
        words = [f"model_file={asked.model}", f"camera={url}/stream", f"out={out}", "device=cpu"]
        words += [f"camera.interval_s={1 / asked.fps}", f"scoring.threshold={threshold}"]
        words += [f"webhook.url={url}/message"]
        with (home / f"{out.name}.log").open("w", encoding="utf-8") as log:
            command = [sys.executable, "-m", "tlae", "watch", *words]
            watches.append(subprocess.Popen(command, stdout=log, stderr=log))
    try:
        while not all(status_of(out).get("frames", {}).get("scored") for out in outs):
            if any(watch.poll() is not None for watch in watches):
                raise SystemExit((home / "camera0.log").read_text(encoding="utf-8")[-2000:])
            time.sleep(0.2)
        time.sleep(SETTLE_S)
        stage.latencies_s.clear()
        before = [
            (cpu_s(watch.pid), status_of(out)) for watch, out in zip(watches, outs, strict=True)
        ]
        began = time.monotonic()
        time.sleep(asked.seconds)
        seconds = time.monotonic() - began
        after = [
            (cpu_s(watch.pid), status_of(out)) for watch, out in zip(watches, outs, strict=True)
        ]
    finally:
        stage.ends.set()
        for watch in watches:
            watch.terminate()
        for watch in watches:
            watch.wait()
    tell(asked, stage, before, after, seconds)


def tell(
    asked: argparse.Namespace,
    stage: Stage,
    before: list[tuple[float, dict[str, dict[str, float]]]],
    after: list[tuple[float, dict[str, dict[str, float]]]],
    seconds: float,
) -> None:
    """The table."""
    used_s = [late[0] - early[0] for early, late in zip(before, after, strict=True)]
    counts = {
        name: sum(
            late[1]["frames"][name] - early[1]["frames"][name]
            for early, late in zip(before, after, strict=True)
        )
        for name in ("read", "scored", "dropped", "skipped")
    }
    share = float(np.mean(used_s)) / seconds
    verdicts = [late[1]["latency_s"] for _, late in zip(before, after, strict=True)]
    busy = Path("/proc/loadavg").read_text(encoding="utf-8").split()[:3]
    rows = {
        "load average": " ".join(busy),
        "cameras": f"{asked.cameras}, {asked.fps:g} frames a second, {SIZE_WH[0]}x{SIZE_WH[1]}",
        "frames read, scored": f"{counts['read']:,}, {counts['scored']:,}",
        "dropped before they were scored": f"{counts['dropped']:,}",
        "left out by camera.interval_s": f"{counts['skipped']:,}",
        "processor time of a camera": f"{share:.3f} s a second",
        "cameras on two quiet cores, by division": f"{int(2 / share)}",
        "frame to verdict, median of cameras": ", ".join(
            f"{name} {np.median([one[name] for one in verdicts]):.3f} s" for name in ("p50", "p99")
        ),
    }
    if stage.latencies_s:
        median, high = np.quantile(stage.latencies_s, [0.5, 0.99])
        rows["frame to message"] = (
            f"median {median:.3f} s, p99 {high:.3f} s, {len(stage.latencies_s)} events"
        )
    print("| | |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")


def handler(stage: Stage) -> type[BaseHTTPRequestHandler]:
    """A camera at /stream, and a receiver of messages."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            began = time.monotonic()
            number = 0
            with suppress(OSError):
                while not stage.ends.is_set():
                    data = stage.frame(number)
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}"
                    self.wfile.write(head.encode() + b"\r\n\r\n" + data + b"\r\n")
                    number += 1
                    time.sleep(max(0.0, began + number / stage.fps - time.monotonic()))

        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            began = message["event"]["started_at"]
            if message["type"] == "new" and began:
                since = datetime.now() - datetime.fromisoformat(began)
                stage.latencies_s.append(since.total_seconds())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


def frames_of(footage: str, most: int) -> list[Image]:
    """Frames at the size of the cameras."""
    found: list[Image] = []
    for frame in tlae.open_footage(footage).clips[0].frames():
        if frame.image is not None:
            found.append(np.asarray(cv2.resize(frame.image, SIZE_WH), np.uint8))
        if len(found) == most:
            break
    return found


def with_square(image: Image) -> Image:
    """The frame with a white square."""
    odd = image.copy()
    odd[200:320, 260:380] = 255
    return odd


def jpeg(image: Image) -> bytes:
    """A frame as a camera sends it."""
    return bytes(cv2.imencode(".jpg", image[..., ::-1])[1].tobytes())


def between(model_file: Path, plain: list[Image], odd: list[Image], fps: float) -> float:
    """A threshold between what frames score without and with the square."""
    live = tlae.Live(tlae.load(model_file), tlae.Budget(threshold=1e6), device="cpu")
    count, first = len(plain), int(len(plain) * 0.8)
    frames = [*plain[:first], *odd[first:]]
    raw = np.array([live.push(frame, number / fps).raw for number, frame in enumerate(frames)])
    return float(0.5 * (np.nanquantile(raw[:first], 0.98) + np.nanmax(raw[first:count])))


def status_of(out: Path) -> dict[str, dict[str, float]]:
    """``status.json``; empty before it is there."""
    path = out / "status.json"
    found: dict[str, dict[str, float]] = (
        json.loads(path.read_text("utf-8")) if path.is_file() else {}
    )
    return found


if __name__ == "__main__":
    main()
