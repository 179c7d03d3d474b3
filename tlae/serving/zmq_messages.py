"""What ZeroMQ messages to the filter hold: bare pixels, or a JSON header and pixels.

A message of one part is bare: uint8 ``(B, S, S, 3)`` RGB in C order with S of 512, or of 448 where
the length fits that alone. Its answer is int32 in native byte order, the ascending indices of the
pictures to keep; it is empty where there are none, and for every bad request. A message of two
parts is framed: a JSON object and the pixels; so is its answer. docs/serve.md describes both.
"""

import json
import math
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.image_sets.image_filter import ImageFilter, Judged
from tlae.plain_values import finite_or_none

SIDES_PX = (512, 448)  # of bare pictures; the first whose length fits
KEPT_ANSWERS = 8  # a client that gave up waiting sends the same batch again
MOST_PICTURES = 1000  # in a framed message: tiny ones take as long each as large ones
SMALLEST_PX = 2  # a picture is cut into quadrants
LONGEST_ID = 200  # characters
OK, BAD = "ok", "bad request"

Pixels = npt.NDArray[np.uint8]


class FilterMessages:
    """Answers messages; no message raises.

    Args:
        image_filter: that judges the pictures.
        model: what the filter is known by: facts for the headers of framed answers.
        side_px: of bare pictures; None: the first of ``SIDES_PX`` whose length fits.
    """

    def __init__(
        self, image_filter: ImageFilter, model: dict[str, Any], side_px: int | None = None
    ) -> None:
        self._filter, self._model = image_filter, model
        self._sides_px = SIDES_PX if side_px is None else (side_px,)
        self._answers: OrderedDict[bytes, Judged] = OrderedDict()

    def answer(self, parts: Sequence[bytes | memoryview]) -> tuple[list[bytes], str]:
        """Answer one message.

        Args:
            parts: of the message.

        Returns:
            The parts of the answer, and what is wrong with the message; "" where nothing is.
        """
        if len(parts) == 2:
            return self._framed(parts[0], parts[1])
        try:
            if len(parts) != 1:
                raise UserError(f"a message must have one part or two, got {len(parts)}")
            judged = self._judged(_bare(parts[0], self._sides_px))
        except UserError as error:
            return [b""], str(error)
        return [judged.kept.tobytes()], ""

    def _framed(
        self, head: bytes | memoryview, body: bytes | memoryview
    ) -> tuple[list[bytes], str]:
        header: dict[str, Any] = {}
        try:
            header = _header(head)
            answer, kept = self._asked(header, body)
        except UserError as error:
            answer, kept = {"status": BAD, "error": str(error)}, b""
        answer |= {"id": _id(header.get("id")), "model": self._model}
        return [json.dumps(answer, allow_nan=False).encode(), kept], str(answer.get("error", ""))

    def _asked(
        self, header: dict[str, Any], body: bytes | memoryview
    ) -> tuple[dict[str, Any], bytes]:
        asked = header.get("ask", "judge")
        if asked == "ping":
            return {"status": OK}, b""
        if asked != "judge":
            raise UserError(f'ask must be "judge" or "ping", got {_short(asked)}')
        judged, second = self._judged(_shaped(header.get("shape"), body)), self._filter.second
        answer = {
            "status": OK,
            "keep": judged.kept.tolist(),
            "scores": [finite_or_none(score) for score in judged.scores.tolist()],
            "threshold": finite_or_none(self._filter.novelty.threshold),
        }
        if second is not None:
            answer["filter_scores"] = [finite_or_none(one) for one in judged.filter_scores.tolist()]
            answer["filter_threshold"] = finite_or_none(second.threshold)
        return answer, judged.kept.tobytes()

    def _judged(self, images: Pixels) -> Judged:
        key = blake2b(images.data, digest_size=16, key=repr(images.shape).encode()).digest()
        if key not in self._answers:
            self._answers[key] = self._filter.judge(images)
            if len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
        self._answers.move_to_end(key)
        return self._answers[key]


def _bare(body: bytes | memoryview, sides_px: Sequence[int]) -> Pixels:
    for side in sides_px:
        if len(body) and len(body) % (side * side * 3) == 0:
            return np.frombuffer(body, np.uint8).reshape(-1, side, side, 3)
    sizes = " or ".join(f"{side} x {side}" for side in sides_px)
    raise UserError(
        f"bare pixels must be of whole RGB pictures of {sizes}, got {len(body):,} bytes"
    )


def _header(head: bytes | memoryview) -> dict[str, Any]:
    try:
        header = json.loads(bytes(head), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UserError("the header must be a JSON object, this is no JSON") from error
    if not isinstance(header, dict):
        raise UserError(f"the header must be a JSON object, got {_short(header)}")
    return header


def _id(value: Any) -> str | int | None:
    """What the client calls its message, to be sent back."""
    short = isinstance(value, str | int) and len(str(value)) <= LONGEST_ID
    return value if short else None


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _shaped(shape: Any, body: bytes | memoryview) -> Pixels:
    whole = isinstance(shape, list) and all(type(length) is int for length in shape)
    if not (whole and len(shape) == 4 and shape[0] >= 1 and shape[3] == 3):
        raise UserError(f"shape must be [B, H, W, 3] with B >= 1, got {_short(shape)}")
    if shape[0] > MOST_PICTURES:
        raise UserError(
            f"a message must have at most {MOST_PICTURES:,} pictures, got {shape[0]:,}; "
            "send several"
        )
    if min(shape[1:3]) < SMALLEST_PX:
        raise UserError(f"H and W must be >= {SMALLEST_PX} pixels, got {_short(shape)}")
    if math.prod(shape) != len(body):
        raise UserError(
            f"the pixels must be uint8 of shape {_short(shape)}, got {len(body):,} bytes"
        )
    return np.frombuffer(body, np.uint8).reshape(shape)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
