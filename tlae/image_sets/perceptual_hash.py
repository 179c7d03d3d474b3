"""A 64-bit hash of what a picture looks like: copies, resized or compressed again, differ little.

The signs of the lowest frequencies of the grey picture, against their median (Zauner 2010,
*Implementation and benchmarking of perceptual image hash functions*). The mean brightness does not
count, so that a hash survives another exposure. Pictures that are nearly the same everywhere have
few bits of 1, and are near each other whatever they show.
"""

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image

SIDE_PX = 32  # the picture is shrunk to a square of this side
BITS = 64
NEAR = 6  # bits; pictures this close, of 64, are taken for copies of each other


def _lowest_frequencies() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the ``BITS`` lowest frequencies, the mean apart."""
    rows, columns = np.indices((SIDE_PX, SIDE_PX)).reshape(2, -1)
    order = np.lexsort((columns, rows, rows**2 + columns**2))[1 : BITS + 1]
    return rows[order], columns[order]


LOWEST = _lowest_frequencies()


def perceptual_hash(picture: Image) -> int:
    """Hash a picture by its coarse structure.

    Args:
        picture: (H, W, 3) or (H, W) uint8, of any size.

    Returns:
        A number of 64 bits; 0 of a picture that is the same everywhere.
    """
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    waves = cv2.dct(small.astype(np.float32))[LOWEST].round()  # rounded: no bits from noise
    bits = waves > np.median(waves)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def distance(a: int, b: int) -> int:
    """Number of bits, 0 to 64, in which two hashes differ; unrelated pictures: about 32."""
    return (a ^ b).bit_count()
