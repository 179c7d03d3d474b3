"""Know a picture again that was scaled or compressed anew."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image
from tlae.image_sets.perceptual_hash import BITS, perceptual_hash

MOST_COLOUR = 24  # levels by which mean colours of the same picture may differ
ROOM = 1024


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What a picture is known by.

    Attributes:
        hash: see ``perceptual_hash``.
        colour: (3,) uint8, mean of the picture, RGB: plain pictures differ in this alone.
    """

    hash: int
    colour: npt.NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """11 bytes for ``of_bytes``."""
        return self.hash.to_bytes(BITS // 8, "big") + self.colour.tobytes()

    @classmethod
    def of_bytes(cls, data: bytes) -> "Fingerprint":
        """What ``to_bytes`` returned."""
        bits, colour = data[: BITS // 8], data[BITS // 8 :]
        return cls(int.from_bytes(bits, "big"), np.frombuffer(colour, np.uint8))


def fingerprint(image: Image) -> Fingerprint:
    """What a picture, RGB (H, W, 3) uint8, is known by."""
    colour = np.rint(image.reshape(-1, 3).mean(axis=0)).astype(np.uint8)
    return Fingerprint(perceptual_hash(image), colour)


class SeenPictures:
    """Pictures that were seen, to find the one that another is a copy of.

    Args:
        most_bits: by which perceptual hashes of the same picture may differ.
    """

    def __init__(self, most_bits: int) -> None:
        self._most_bits = most_bits
        self._names: list[str] = []
        self._hashes = np.zeros(ROOM, np.uint64)
        self._colours = np.zeros((ROOM, 3), np.int16)

    def add(self, name: str, seen: Fingerprint) -> None:
        """Remember a picture."""
        count = len(self._names)
        if count == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
            self._colours = np.concatenate([self._colours, np.zeros_like(self._colours)])
        self._hashes[count], self._colours[count] = seen.hash, seen.colour
        self._names.append(name)

    def find(self, one: Fingerprint) -> str | None:
        """Name of the picture that is most like this one; None: none is alike enough."""
        count = len(self._names)
        if not count:
            return None
        differing = (self._hashes[:count] ^ np.uint64(one.hash)).view(np.uint8).reshape(count, -1)
        apart = np.unpackbits(differing, axis=1).sum(axis=1)  # (count,)
        colour = np.abs(self._colours[:count] - one.colour.astype(np.int16)).max(axis=1)
        apart[colour > MOST_COLOUR] = BITS
        nearest = int(apart.argmin())
        return self._names[nearest] if apart[nearest] <= self._most_bits else None
