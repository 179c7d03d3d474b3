"""The commands on an exported model, each in a process of its own."""

import re
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import cv2
import numpy as np

from tests.exported.small_measuring import film_for, street_model
from tests.small_footage import frame_image, small_model, write_clips
from tlae.exporting.export import exported

FRAMES = 12
# In the order in which they may run: those after the first work on what it wrote.
COMMANDS = {
    "score": "score model_file=models/gate.onnx footage=clips name=s paths.scores=. paths.cache=c",
    "render": "render scores=s",
    "report": "report scores=s",
    "events": "events scores=s",
    "watch": "watch model_file=models/gate.onnx camera=camera.mp4 out=live",
}
SERVE = "serve models=models port=0"


def prepare(folder: Path) -> Path:
    """A folder with an exported model, two clips, and a film."""
    (folder / "models").mkdir(parents=True)
    (folder / "models/gate.onnx").write_bytes(exported(small_model("cae"))[0])
    write_clips(folder / "clips", (FRAMES, FRAMES), odd={(1, 6)})
    film = cv2.VideoWriter(
        str(folder / "camera.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (32, 32)
    )
    for number in range(FRAMES):
        film.write(np.ascontiguousarray(frame_image(number)[..., ::-1]))
    film.release()
    return folder


def prepare_street(folder: Path) -> str:
    """A model that measures, and pictures that move; the command that scores them."""
    model = street_model("joint")
    (folder / "street.onnx").write_bytes(exported(model)[0])
    (folder / "street").mkdir()
    for number, frame in enumerate(film_for(model)):
        cv2.imwrite(str(folder / f"street/{number:03d}.png"), frame[..., ::-1])
    return "score model_file=street.onnx footage=street name=s paths.scores=. paths.cache=c"


def run(python: Sequence[str], command: str, folder: Path) -> str:
    """What a command printed; it must end well.

    Args:
        python: words that start tlae.
        command: one of ``COMMANDS``.
        folder: to run in.
    """
    done = subprocess.run(
        [*python, *command.split()], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_server(python: Sequence[str], folder: Path) -> str:
    """What ``SERVE`` printed; it must answer that it runs, and end well when it is told to."""
    with subprocess.Popen(
        [*python, *SERVE.split()],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = ""
        while (found := re.search(r"page: (http://\S+)/ ", printed)) is None:
            line = process.stdout.readline()
            assert line, printed
            printed += line
        with urlopen(f"{found[1]}/health") as answer:
            assert answer.read() == b'{"status":"ok"}'
        with urlopen(f"{found[1]}/api/models/gate") as answer:
            assert b'"exported":true' in answer.read()
        timer = threading.Timer(60, process.kill)
        timer.start()
        process.terminate()
        printed += process.stdout.read()
        assert process.wait() == 0, printed
        timer.cancel()
    return printed
