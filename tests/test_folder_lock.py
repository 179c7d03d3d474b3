"""One writer at a time in a folder."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tlae.errors import UserError
from tlae.folder_lock import held_folder

HOLD = """
import sys, time
from pathlib import Path
from tlae.folder_lock import held_folder
with held_folder(Path(sys.argv[1]), "wait"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_writer_is_told_who_holds_the_folder_until_that_one_is_killed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "scores/s"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        message = f"written by another process .process {other.pid} on .*; wait for it, or rename"
        with pytest.raises(UserError, match=message), held_folder(folder, "rename"):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
    with held_folder(folder, "rename"):
        assert not folder.exists()


def test_a_link_to_a_folder_is_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "latest").symlink_to(tmp_path / "s")
    with (
        held_folder(tmp_path / "s", "rename"),
        pytest.raises(UserError, match="by another process"),
        held_folder(tmp_path / "latest", "rename"),
    ):
        pass


def test_the_root_of_a_file_system_is_refused() -> None:
    root = Path(Path.cwd().anchor)
    with pytest.raises(UserError, match="is the root of a file system"), held_folder(root, None):
        pass
