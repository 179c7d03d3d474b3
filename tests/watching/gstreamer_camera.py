"""GStreamer's RTSP server as a camera: Debian's, run by the Python of the system."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

PYTHON = "/usr/bin/python3"
PACKAGES = (
    "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)
IMPORTS = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
"""
SERVER = (
    IMPORTS
    + """
import sys
film, port = sys.argv[1:]
for needed in ("qtdemux", "h264parse", "rtph264pay"):
    assert Gst.ElementFactory.find(needed), needed
server, factory = GstRtspServer.RTSPServer(), GstRtspServer.RTSPMediaFactory()
server.set_address("127.0.0.1")
server.set_service(port)
factory.set_launch(
    f'( filesrc location="{film}" ! qtdemux ! h264parse config-interval=-1 ! rtph264pay name=pay0 )'
)
server.get_mount_points().add_factory("/gate", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""
)


@cache
def _is_there() -> bool:
    if not Path(PYTHON).is_file():
        return False
    needed = IMPORTS + "assert Gst.ElementFactory.find('h264parse')"
    return subprocess.run([PYTHON, "-c", needed], capture_output=True, check=False).returncode == 0


class GStreamerCamera:
    """A camera that shows a film from its begin to whoever asks; it can be switched off and on.

    Args:
        film: H.264 in an .mp4 file; its packets are sent as they are, at their pace.
    """

    def __init__(self, film: Path) -> None:
        self._film, self._port = film, "0"
        self._process: subprocess.Popen[str] | None = None
        self.switch_on()

    @property
    def url(self) -> str:
        """The same after each time that it was off."""
        return f"rtsp://127.0.0.1:{self._port}/gate"

    def switch_on(self) -> None:
        """Begin to answer."""
        command = [PYTHON, "-c", SERVER, str(self._film), self._port]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdout is not None
        self._port = process.stdout.readline().strip()
        assert self._port.isdigit()
        threading.Thread(target=process.stdout.read, daemon=True).start()
        self._process = process

    def switch_off(self) -> None:
        """Cut every connection, and refuse further ones."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()


@contextmanager
def gstreamer_camera(film: Path) -> Iterator[GStreamerCamera]:
    """A camera while a test runs; the test skips where there is no GStreamer."""
    if not _is_there():
        pytest.skip(f"needs Debian's {PACKAGES}")
    camera = GStreamerCamera(film)
    try:
        yield camera
    finally:
        camera.switch_off()
