"""The small footage as a video file."""

from collections.abc import Container
from pathlib import Path

import av

from tests.small_footage import frame_image
from tests.watching.servers import SIZE_HW


def write_film(
    path: Path,
    frames: int,
    fps: int,
    *,
    odd: Container[int] = (),
    size_hw: tuple[int, int] = SIZE_HW,
) -> Path:
    """Write the small footage as H.264 without frames that wait for later ones."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"g": "10", "bf": "0"})
        stream.height, stream.width = size_hw
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            pixels = frame_image(number, odd=number in odd, size_hw=size_hw)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path
