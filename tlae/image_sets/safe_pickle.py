"""Read numbers out of a pickle without running anything that it names.

A pickle may call any function. Here it gets stand-ins for the few that NumPy arrays are made of,
and nothing else; NumPy's own constructors are not called with what a foreign file says.
"""

import io
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

_DTYPE = re.compile(r"[<>|=]?(b1|[iuf][1248]|[US]\d{1,5}|O8?|bool|u?int\d{1,2}|float\d{2})")

Array = npt.NDArray[Any]


class RefusedPickle(Exception):
    """The pickle names something that is no number, text, list, dict or NumPy array."""


class _Dtype:
    """Stands for ``numpy.dtype``: keeps its name, refuses fields and flags."""

    def __init__(self, name: str, *_align_copy: object) -> None:
        if not isinstance(name, str) or not _DTYPE.fullmatch(name):
            raise RefusedPickle(f"a NumPy array of type {name!r}")
        self.name, self.order = name, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order, subtype, names, fields = state[1:5]
        if subtype is not None or names is not None or fields is not None:
            raise RefusedPickle("a NumPy array with named fields")
        self.order = order if order in ("<", ">") else "="

    def real(self) -> np.dtype[Any]:
        """The type meant."""
        return np.dtype(self.name).newbyteorder(self.order)  # type: ignore[arg-type]


class _Array:
    """Stands for ``numpy.ndarray``; ``value`` is the array, or a list where it held objects."""

    def __init__(self) -> None:
        self.value: Array | list[Any] = []

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran, content = state
        if isinstance(content, list):
            self.value = content
            return
        self.value = _from_buffer(content, dtype, shape, "F" if fortran else "C").value


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any = "C") -> _Array:
    """An array of bytes that are all there: nothing is taken on trust but its shape."""
    if not isinstance(dtype, _Dtype) or not isinstance(content, bytes | bytearray):
        raise RefusedPickle("a NumPy array of unknown content")
    array = _Array()
    array.value = np.frombuffer(content, dtype.real()).reshape(shape, order=order)
    return array


def _reconstruct(*_class_shape_type: object) -> _Array:
    return _Array()


def _scalar(dtype: Any, content: Any) -> Any:
    value = _from_buffer(content, dtype, (1,)).value
    return value[0]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How old protocols write bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise RefusedPickle("encoded text")
    return text.encode("latin1")


class _Function:
    """A stand-in that can be called and, unlike a plain function, not be changed by the file."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise RefusedPickle("changes to a function")


_STAND_INS: dict[tuple[str, str], _Function] = {
    ("numpy", "dtype"): _Function(_Dtype),
    ("numpy", "ndarray"): _Function(_reconstruct),
    ("_codecs", "encode"): _Function(_encode),
} | {
    (f"numpy.{core}.{module}", name): _Function(stand_in)
    for core in ("core", "_core")  # before and since NumPy 2
    for module, name, stand_in in (
        ("multiarray", "_reconstruct", _reconstruct),
        ("multiarray", "scalar", _scalar),
        ("numeric", "_frombuffer", _from_buffer),
    )
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise RefusedPickle(f"{module}.{name}")
        return _STAND_INS[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise RefusedPickle("a reference to something outside")


def read_pickle(content: bytes) -> Any:
    """Read a pickle that holds numbers, text, lists, tuples, dicts and NumPy arrays of these.

    Returns:
        What it holds; tuples become lists, and so do arrays of objects.

    Raises:
        RefusedPickle: it names anything else; the message says what.
        ValueError: it is damaged, or no pickle.
    """
    try:
        return _plain(_Unpickler(io.BytesIO(content)).load())
    except RefusedPickle:
        raise
    except Exception as error:  # foreign bytes make the unpickler fail in every way
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _plain(held: Any) -> Any:
    """Real arrays in place of stand-ins: ``held`` itself, and what a list or dict holds."""
    if isinstance(held, _Array):
        held = held.value
    if isinstance(held, list | tuple):
        return [item.value if isinstance(item, _Array) else item for item in held]
    if isinstance(held, dict):
        return {k: v.value if isinstance(v, _Array) else v for k, v in held.items()}
    return held
