"""The first layers of EfficientNet-Lite0, in NumPy: an exported model needs no torch for them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Maps = npt.NDArray[np.float32]

MEAN, SPREAD = 127.0, 128.0  # of a pixel, as the net has learnt
STEM = 32
CHANNELS = 40  # of the answer


class Block(NamedTuple):
    """Widen, look at each channel by itself, narrow; added to the input where shapes allow."""

    given: int
    wide: int
    kernel: int
    stride: int
    channels: int


BLOCKS = (
    Block(STEM, STEM, 3, 1, 16),
    Block(16, 96, 3, 2, 24),
    Block(24, 144, 3, 1, 24),
    Block(24, 144, 5, 2, 40),
    Block(40, 240, 5, 1, CHANNELS),
)


def shapes() -> Iterator[tuple[int, ...]]:
    """Shapes of the weights, one layer after the other; each is followed by a bias.

    The last axis is the channels that a layer gives.
    """
    yield 3, 3, 3, STEM
    for block in BLOCKS:
        if block.wide > block.given:
            yield block.given, block.wide
        yield block.kernel, block.kernel, block.wide
        yield block.wide, block.channels


def layers_of(weights: Maps) -> list[tuple[Maps, Maps]]:
    """Weights and bias of each layer, of one after the other (n,).

    Raises:
        ValueError: they are more or fewer.
    """
    expected = sum(int(np.prod(shape)) + shape[-1] for shape in shapes())
    if weights.shape != (expected,):
        raise ValueError(f"weights must be {expected} numbers, got {list(weights.shape)}")
    layers, at = [], 0
    for shape in shapes():
        ends = at + int(np.prod(shape)), at + int(np.prod(shape)) + shape[-1]
        layers.append((weights[at : ends[0]].reshape(shape), weights[ends[0] : ends[1]]))
        at = ends[1]
    return layers


def early_maps(picture: Image, layers: Sequence[tuple[Maps, Maps]]) -> Maps:
    """Answer of the first layers to a picture (H, W, 3), (ceil(H / 8), ceil(W / 8), 40).

    Tan and Le 2019, *EfficientNet*; Liu 2020, *Higher accuracy on vision models with
    EfficientNet-Lite*: without squeeze-and-excitation, and with ReLU6.
    """
    remaining = iter(layers)
    maps = (picture.astype(np.float32) - np.float32(MEAN)) / np.float32(SPREAD)
    weights, bias = next(remaining)
    maps = _clipped(_full(maps, weights, stride=2) + bias)
    for block in BLOCKS:
        wide = maps
        if block.wide > block.given:
            weights, bias = next(remaining)
            wide = _clipped(maps @ weights + bias)
        weights, bias = next(remaining)
        wide = _clipped(_each_channel(wide, weights, block.stride) + bias)
        weights, bias = next(remaining)
        narrow = wide @ weights + bias
        adds = block.stride == 1 and block.given == block.channels
        maps = maps + narrow if adds else narrow
    return maps


def _full(maps: Maps, weights: Maps, stride: int) -> Maps:
    """Convolve: weights (k, k, given, channels)."""
    products = [part @ tap for part, tap in _taps(maps, weights, stride)]
    return np.asarray(np.sum(products, axis=0), np.float32)


def _each_channel(maps: Maps, weights: Maps, stride: int) -> Maps:
    """Convolve every channel by itself: weights (k, k, channels)."""
    taps = _taps(maps, weights, stride)
    part, tap = next(taps)
    answer = part * tap
    product = np.empty_like(answer)
    for part, tap in taps:
        np.multiply(part, tap, out=product)
        answer += product
    return answer


def _taps(maps: Maps, weights: Maps, stride: int) -> Iterator[tuple[Maps, Maps]]:
    """What each tap of a kernel sees, and its weights.

    Padded as TensorFlow does, by which the net has learnt: the odd pixel right and below.
    """
    kernel = len(weights)
    sides = []
    for length in maps.shape[:2]:
        needed = max((-(-length // stride) - 1) * stride + kernel - length, 0)
        sides.append((needed // 2, needed - needed // 2))
    padded = np.pad(maps, (*sides, (0, 0)))
    height, width = (-(-length // stride) for length in maps.shape[:2])
    for down in range(kernel):
        for across in range(kernel):
            rows = slice(down, down + (height - 1) * stride + 1, stride)
            columns = slice(across, across + (width - 1) * stride + 1, stride)
            yield padded[rows, columns], weights[down, across]


def _clipped(maps: npt.NDArray[Any]) -> Maps:
    """ReLU6."""
    return np.asarray(np.clip(maps, 0, 6, out=maps), np.float32)
