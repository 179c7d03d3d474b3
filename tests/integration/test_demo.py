"""The demo, whole: what a newcomer runs first."""

import json
from pathlib import Path

import pytest

from tlae.cli import main
from tlae.scoring.results import read_results


@pytest.mark.slow
def test_demo_ranks_what_was_planted_above_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", f"out={tmp_path}/demo"]) == 0
    out = capsys.readouterr().out
    table = read_results(tmp_path / "demo/scores/street").table
    events = json.loads((tmp_path / "demo/scene/scene.json").read_text())["events"]
    planted = [e for e in events if e["kind"] != "light_flash"]
    rows = [
        (table["clip"] == e["clip"]) & table["frame"].between(e["first_frame"], e["last_frame"])
        for e in planted
    ]
    normal = table["raw"][~sum(rows).astype(bool)]  # type: ignore[union-attr]
    calmer = [float((normal < table["raw"][row].max()).mean()) for row in rows]
    fast = [c for c, e in zip(calmer, planted, strict=True) if e["kind"] != "wrong_direction"]
    assert min(fast) > 0.95, list(zip(calmer, planted, strict=True))
    assert len(list((tmp_path / "demo/scores/street/overlay").glob("*.mp4"))) == 8
    assert "look at" in out
