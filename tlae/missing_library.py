"""How a library that is needed is installed."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from tlae.errors import UserError

# Extras of the package that bring a library.
EXTRAS = dict.fromkeys(("sklearn", "skops", "torchvision"), "images") | {
    "onnx": "export",
    "onnxruntime": "export",
    "paho": "mqtt",
    "feedparser": "feed",
    "ray": "ray",
}
EXTRAS |= dict.fromkeys(
    ("fastapi", "uvicorn", "prometheus_client", "python_multipart", "zmq"), "serve"
)
# Libraries of the full install that a light one lacks, see docs/export.md.
FULL = ("torch", "pytorch_lightning", "pandas", "scipy", "matplotlib", "pyarrow", "tensorboard")
# What an extra brings without them, for a light install.
LIGHT_EXTRAS = {"serve": "fastapi prometheus-client python-multipart uvicorn"}


@contextmanager
def explaining_imports(thing: str = "") -> Iterator[None]:
    """Say in one line what to install where an import finds no library.

    Args:
        thing: that needs it, to begin the line with.

    Raises:
        UserError: a library that may be lacking is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (cure := _cure((error.name or "").split(".")[0])) is None:
            raise
        raise UserError(f"{thing} {cure}".strip()) from error


def _cure(library: str) -> str | None:
    """What to do where a library is not there; None: it is none that may be lacking."""
    if library in FULL:
        return f"needs {library}, which a light install lacks: pip install tlae"
    if library not in EXTRAS:
        return None
    extra = EXTRAS[library]
    line = f"needs {library}, which comes with an extra: pip install 'tlae[{extra}]'"
    is_light = importlib.util.find_spec("torch") is None
    if is_light and extra in LIGHT_EXTRAS:
        return f"{line}; to stay without torch: pip install {LIGHT_EXTRAS[extra]}"
    return line
