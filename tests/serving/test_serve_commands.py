"""`tlae serve` and `tlae serve zmq`, through the command line."""

import socket
import sys
from pathlib import Path

import pytest

from tlae.cli import main


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a refused command ends in."""
    assert main(words) == 2
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1, error
    return error


@pytest.mark.parametrize("command", [["serve"], ["serve", "zmq", "model_file=x"]])
def test_settings_that_nobody_can_serve(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "port must be in [0, 65535]" in refused([*command, "port=70000"], capsys)
    assert "most_mb must be > 0" in refused([*command, "most_mb=0"], capsys)


def test_a_server_without_models_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    assert "models must be a folder" in refused(["serve", f"models={tmp_path}/none"], capsys)
    assert "holds none; `tlae train`" in refused(["serve", f"models={tmp_path}"], capsys)
    (tmp_path / "torn.safetensors").write_bytes(b"torn")
    error = refused(["serve", f"models={tmp_path}", "port=0"], capsys)
    assert "model file torn must be a .safetensors file" in error


def test_addresses_and_tokens_are_refused_in_one_line(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    command = ["serve", f"models={models}"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = refused([*command, f"port={port}"], capsys)
        assert f"port must be free, got {port}, which another program uses" in error
    assert "host must be" in refused([*command, "host=203.0.113.1"], capsys)
    token = tmp_path / "token.txt"
    command.append(f"token_file={token}")
    assert "token_file must be readable" in refused(command, capsys)
    token.write_text("short", encoding="utf-8")
    assert "at least 16 characters" in refused(command, capsys)
    token.write_text("ä" * 20, encoding="utf-8")
    assert "ASCII text" in refused(command, capsys)


@pytest.mark.parametrize(
    ("library", "command"),
    [("fastapi", ["serve"]), ("zmq", ["serve", "zmq", "model_file=x"])],
)
def test_without_the_extra_the_command_says_what_to_install(
    library: str,
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("tlae.serving", "tlae.commands"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    assert f"needs {library}, which comes with an extra: pip install 'tlae[serve]'" in refused(
        command, capsys
    )
