"""Video files that play in a browser: H.264, yuv420p, index in front."""

import math
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.stream import VideoStream

from tlae.errors import UserError
from tlae.footage.frames import Image
from tlae.whole_file import explain_os_errors, part_path

MADE_BY = "made by tlae"  # by which our videos are known
OPTIONS = {"preset": "veryfast", "crf": "20"}
FPS_DENOMINATOR = 1001  # 29.97 and the like stay exact

_BT709, _LIMITED_RANGE = 1, 1  # FFmpeg's numbers; said in the file, or players guess by its size


class VideoFile:
    """Writer of one video of constant frame rate.

    The file has its name only once it is whole; after an error or an interruption nothing is left.

    Args:
        path: file to write or replace, ending in .mp4.
        fps: frames a second, > 0.
        size_hw: size of the pictures in pixels; odd sizes are padded to even ones by repeating the
            last row or column.
    """

    def __init__(self, path: Path, fps: float, size_hw: tuple[int, int]) -> None:
        if path.suffix.lower() != ".mp4":
            raise UserError(f"a video must be written to a file ending in .mp4, got {path}")
        if not (math.isfinite(fps) and 0.01 <= fps <= 1000):
            raise UserError(f"fps of a video must be in 0.01..1000, got {fps:g}")
        if min(size_hw) < 2:
            raise ValueError(f"size_hw of a video must be >= 2 each, got {size_hw}")
        self.path, self.size_hw, self.written = path, size_hw, 0
        self._rate = Fraction(fps).limit_denominator(FPS_DENOMINATOR)
        self._temporary = part_path(path)

    def __enter__(self) -> Self:
        with explain_os_errors(self.path):
            self._temporary.touch()  # PyAV opens late: a missing folder shall show at once
            self._container = av.open(
                str(self._temporary), "w", format="mp4", options={"movflags": "faststart"}
            )
            self._container.metadata["comment"] = MADE_BY
        try:
            self._stream = self._add_stream()
        except BaseException:
            self._discard()
            raise
        return self

    def _add_stream(self) -> VideoStream:
        height, width = self.size_hw
        stream = self._container.add_stream("libx264", rate=self._rate, options=OPTIONS)
        stream.height, stream.width = height + height % 2, width + width % 2
        stream.pix_fmt = "yuv420p"
        coder = stream.codec_context
        coder.colorspace = coder.color_primaries = coder.color_trc = _BT709
        coder.color_range = _LIMITED_RANGE
        return stream

    def write(self, image: Image, times: int = 1) -> None:
        """Append a picture.

        Args:
            image: RGB (H, W, 3) uint8 of ``size_hw``.
            times: so many frames show it.

        Raises:
            UserError: the file cannot be written.
        """
        if image.shape != (*self.size_hw, 3) or image.dtype != np.uint8:
            raise ValueError(
                f"pictures of {self.path.name} must be uint8 of shape {(*self.size_hw, 3)}, got "
                f"{image.dtype} of shape {image.shape}; resize them first"
            )
        pad = [(0, pixels % 2) for pixels in self.size_hw]
        even = np.pad(image, [*pad, (0, 0)], mode="edge") if any(map(any, pad)) else image
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        frame = rgb.reformat(format="yuv420p", dst_colorspace=_BT709)
        for _ in range(times):
            frame.pts, frame.time_base = self.written, 1 / self._rate
            with explain_os_errors(self.path):
                self._container.mux(self._stream.encode(frame))
            self.written += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._discard()

    def _discard(self) -> None:
        """Close, and remove what has not got its name."""
        with suppress(OSError):
            self._container.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _finish(self) -> None:
        if not self.written:
            raise UserError(f"{self.path} must get at least one frame, got none")
        with explain_os_errors(self.path):
            self._container.mux(self._stream.encode(None))
            self._container.close()  # moves the index to the front
            self._temporary.replace(self.path)


def read_video(path: Path) -> None:
    """Look whether a file is a video that tlae wrote.

    Raises:
        UserError: it is none.
    """
    with suppress(av.FFmpegError), av.open(str(path)) as container:
        if container.metadata.get("comment") == MADE_BY:
            return
    raise UserError(f"{path} is no video of tlae")
