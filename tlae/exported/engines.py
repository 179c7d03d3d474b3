"""Programs that run the net of an exported model on the CPU."""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import ModelFileError, UserError

Arrays = dict[str, npt.NDArray[Any]]
Step = Callable[[Arrays], Arrays]
"""One step of a net: named inputs to named outputs."""

# The library that an engine needs, and how it is installed.
LIBRARIES = {
    "onnxruntime": ("onnxruntime", "pip install onnxruntime"),
    "opencv": ("cv2", "pip install opencv-python-headless"),
    "openvino": ("openvino", "pip install 'tlae[openvino]'"),
}
ENGINES = tuple(LIBRARIES)


def is_installed(engine: str) -> bool:
    """Whether the library of an engine is there."""
    return importlib.util.find_spec(LIBRARIES[engine][0]) is not None


def opened(engine: str, graph: bytes, outputs: tuple[str, ...]) -> Step:
    """Make a net ready to run.

    Args:
        engine: one of ``ENGINES``.
        graph: content of an ONNX file.
        outputs: names of what the net gives.

    Raises:
        UserError: the engine is not installed.
        ModelFileError: the engine cannot run the net; a step of it raises this too.
    """
    library, cure = LIBRARIES[engine]
    if not is_installed(engine):
        raise UserError(f"engine {engine} needs {library}, which is not installed; {cure}")
    with _explained(engine):
        step = OPENERS[engine](graph, outputs)

    def explained_step(inputs: Arrays) -> Arrays:
        with _explained(engine):
            return step(inputs)

    return explained_step


@contextmanager
def _explained(engine: str) -> Iterator[None]:
    """What a library says of a net, on one line; each raises classes of its own."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(f"engine {engine} cannot run this net ({reason})") from error


def _onnxruntime(graph: bytes, outputs: tuple[str, ...]) -> Step:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # calm between frames
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def step(inputs: Arrays) -> Arrays:
        return dict(zip(outputs, session.run(list(outputs), inputs), strict=True))

    return step


def _opencv(graph: bytes, outputs: tuple[str, ...]) -> Step:
    import cv2

    net = cv2.dnn.readNetFromONNX(np.frombuffer(graph, np.uint8))

    def step(inputs: Arrays) -> Arrays:
        for name, value in inputs.items():
            net.setInput(np.ascontiguousarray(value), name)
        return dict(zip(outputs, net.forward(outputs), strict=True))

    return step


def _openvino(graph: bytes, outputs: tuple[str, ...]) -> Step:
    import openvino

    core = openvino.Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}  # else 16 bits, where the processor has them
    request = core.compile_model(core.read_model(graph), "CPU", exact)

    def step(inputs: Arrays) -> Arrays:
        answer = request(inputs)
        return {name: np.array(answer[name]) for name in outputs}

    return step


OPENERS: Mapping[str, Callable[[bytes, tuple[str, ...]], Step]] = {
    "onnxruntime": _onnxruntime,
    "opencv": _opencv,
    "openvino": _openvino,
}
