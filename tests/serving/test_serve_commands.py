"""`tlae serve` and `tlae serve zmq`, through the command line."""

import pytest

from tlae.cli import main


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a refused command ends in."""
    assert main(words) == 2
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1, error
    return error
