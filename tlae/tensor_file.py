"""``.safetensors`` files: those that somebody hands us, with JSON under one key, and our own."""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from tlae import __version__
from tlae.errors import ModelFileError
from tlae.whole_file import whole_file

# Modules that save and load arrays of each framework; only some bring torch.
SAVERS = {"np": "safetensors.numpy", "pt": "safetensors.torch"}
METADATA_KEY = "tlae"
EXPORTED_SUFFIX = ".onnx"  # of exported models, which are files of another kind
# What building, filling and trying the parts of a file made by hand can end in.
UNFIT = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError)


def read_tensor_file(
    path: Path, framework: str, command: str, newest_format: int, setting: str = "model_file"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and tensors.

    Args:
        path: the file.
        framework: "pt" for tensors of torch, "np" for arrays.
        command: that writes such files, for the messages.
        newest_format: that this version reads.
        setting: that names the file.

    Raises:
        ModelFileError: missing, foreign, damaged, or of a newer format.
    """
    if not path.is_file():
        folder = path / "model.safetensors"
        hint = f"did you mean {folder}?" if folder.is_file() else f"`{command}` writes one"
        raise ModelFileError(f"{setting} must be an existing file, got {path}; {hint}")
    if path.suffix == EXPORTED_SUFFIX:
        raise ModelFileError(
            f"{setting} must be a .safetensors file written by `{command}` here, got the exported "
            f"model {path}; give the file that it was made of"
        )
    try:
        with safe_open(path, framework=framework) as file:
            facts = json.loads((file.metadata() or {}).get(METADATA_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, RecursionError, OSError) as error:
        raise ModelFileError(
            f"model file {path} must be a .safetensors file written by `{command}`, this is not "
            f"one or is damaged ({str(error).splitlines()[0]})"
        ) from error
    if not isinstance(facts, dict):
        raise ModelFileError(
            f"model file {path} was not written by tlae; give one that `{command}` wrote"
        )
    written = facts.get("format", 0)
    if isinstance(written, int) and written > newest_format:
        raise ModelFileError(
            f"model file {path} has format {written}, this tlae {__version__} reads up to "
            f"{newest_format}; update tlae"
        )
    return facts, tensors


def write_tensors(tensors: Mapping[str, Any], path: Path, framework: str) -> None:
    """Write a file of our own, all or nothing even if the power fails.

    Args:
        tensors: by name.
        path: the file.
        framework: "pt" for tensors of torch, "np" for arrays.
    """
    # The library itself would report a full disk by an error of its own.
    content: bytes = import_module(SAVERS[framework]).save(dict(tensors))
    with whole_file(path, synced=True) as temporary:
        temporary.write_bytes(content)


def read_tensors(path: Path, framework: str) -> dict[str, Any] | None:
    """Tensors of such a file, by name; None: it is missing or damaged."""
    try:
        tensors: dict[str, Any] = import_module(SAVERS[framework]).load(path.read_bytes())
    except (FileNotFoundError, SafetensorError):
        return None
    return tensors


def require_finite(arrays: Mapping[str, Any]) -> None:
    """Refuse arrays with a number that is not finite.

    Args:
        arrays: by name, of NumPy or on the CPU.

    Raises:
        ValueError: names them.
    """
    bad = [name for name, array in arrays.items() if not np.isfinite(np.asarray(array)).all()]
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise ValueError(f"all numbers must be finite, those of {bad[0]}{more} are not")


def damaged(path: Path, error: BaseException, cure: str) -> ModelFileError:
    """One line on what ended in one of ``UNFIT``."""
    if isinstance(error, ModelFileError):
        return ModelFileError(f"model file {path}: {error}")
    reason = " ".join(f"{error or type(error).__name__}".split())[:200]
    return ModelFileError(f"model file {path} is damaged ({reason}); {cure}")
