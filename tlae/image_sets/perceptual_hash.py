"""Know a picture again that was scaled or compressed anew."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image

SIDE_PX = 32  # of the reduced picture
LOW = 8  # frequencies in each direction
MOST_COLOUR = 24  # levels by which mean colours of the same picture may differ
ROOM = 1024


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What a picture is known by.

    Attributes:
        bits: (8,) uint8, the 64 bits of the perceptual hash.
        colour: (3,) uint8, mean of the picture, RGB. Pictures without structure have a hash of
            chance, and differ in this alone.
    """

    bits: npt.NDArray[np.uint8]
    colour: npt.NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """11 bytes for ``of_bytes``."""
        return self.bits.tobytes() + self.colour.tobytes()

    @classmethod
    def of_bytes(cls, data: bytes) -> "Fingerprint":
        """What ``to_bytes`` returned."""
        values = np.frombuffer(data, np.uint8)
        return cls(values[:8], values[8:])


def fingerprint(image: Image) -> Fingerprint:
    """Perceptual hash of a picture (Zauner 2010: signs of the lowest frequencies).

    Args:
        image: RGB (H, W, 3) uint8.
    """
    small = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    low = cv2.dct(grey)[:LOW, :LOW].ravel()
    bits = np.packbits(low > np.median(low[1:]))
    colour = np.rint(small.reshape(-1, 3).mean(axis=0)).astype(np.uint8)
    return Fingerprint(bits, colour)


class SeenPictures:
    """Pictures that were seen, to find the one that another is a copy of.

    Args:
        most_bits: by which perceptual hashes of the same picture may differ, of 64.
    """

    def __init__(self, most_bits: int) -> None:
        self._most_bits = most_bits
        self._names: list[str] = []
        self._bits = np.zeros((ROOM, 8), np.uint8)
        self._colours = np.zeros((ROOM, 3), np.int16)

    def add(self, name: str, seen: Fingerprint) -> None:
        """Remember a picture."""
        count = len(self._names)
        if count == len(self._bits):
            self._bits = np.concatenate([self._bits, np.zeros_like(self._bits)])
            self._colours = np.concatenate([self._colours, np.zeros_like(self._colours)])
        self._bits[count], self._colours[count] = seen.bits, seen.colour
        self._names.append(name)

    def find(self, one: Fingerprint) -> str | None:
        """Name of the picture that is most like this one; None: none is alike enough."""
        count = len(self._names)
        if not count:
            return None
        apart = np.unpackbits(self._bits[:count] ^ one.bits, axis=1).sum(axis=1)
        colour = np.abs(self._colours[:count] - one.colour.astype(np.int16)).max(axis=1)
        apart[colour > MOST_COLOUR] = 64
        nearest = int(apart.argmin())
        return self._names[nearest] if apart[nearest] <= self._most_bits else None
