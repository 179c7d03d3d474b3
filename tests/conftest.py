"""Fixtures that several tests share."""

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # several processes: threads would only get in the way
    for library in ("OMP", "OPENBLAS", "MKL"):  # which read it when they are imported
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

import av
import numpy as np
import pytest

MILLISECOND = Fraction(1, 1000)

WriteVideo = Callable[..., Path]


def pytest_xdist_auto_num_workers() -> int:
    """Three processes for two cores: a third of the time is waiting, for servers and kills."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real footage beside the checkout; the test skips where there is none."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs real footage in {folder}, which is absent")
    return folder


@pytest.fixture
def write_video() -> WriteVideo:
    """Writer of small H.264 films: frame number ``n`` is grey of brightness ``20 * n``."""

    def write(
        path: Path,
        times_ms: Sequence[int] = tuple(range(0, 1000, 100)),
        size_hw: tuple[int, int] = (32, 32),
        noise: bool = False,
        metadata: dict[str, str] | None = None,
        options: dict[str, str] | None = None,
        gop: int = 250,
    ) -> Path:
        rng = np.random.default_rng(0)
        path.parent.mkdir(parents=True, exist_ok=True)
        constant = path.suffix == ".avi"  # has no time stamps, only a rate
        with av.open(path, "w", options=options or {}) as container:
            container.metadata.update(metadata or {})
            stream = container.add_stream("libx264", rate=10, options={"g": str(gop)})
            stream.height, stream.width = size_hw
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = Fraction(1, 10) if constant else MILLISECOND
            for number, time_ms in enumerate(times_ms):
                pixels = np.full((*size_hw, 3), 20 * (number % 12), np.uint8)
                if noise:
                    pixels = rng.integers(0, 255, pixels.shape, np.uint8)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = time_ms, MILLISECOND
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def shut_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may not be read, whoever runs the tests."""
    (tmp_path / "shut").mkdir()
    scandir = os.scandir

    def refuse(folder: Path) -> object:
        if folder.name == "shut":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    return tmp_path / "shut"
