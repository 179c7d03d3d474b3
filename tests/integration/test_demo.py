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
    inside = [
        (table["clip"] == e["clip"]) & table["frame"].between(e["first_frame"], e["last_frame"])
        for e in events
    ]
    planted = [e["kind"] != "light_flash" for e in events]
    by_event = zip(inside, planted, strict=True)
    normal = table["raw"][~sum(rows for rows, odd in by_event if odd).astype(bool)]
    calmer = {
        (e["kind"], e["clip"]): float((normal < table["raw"][i].max()).mean())
        for e, i in zip(events, inside, strict=True)
    }
    seen = {"fast_mover": 0.98, "big_object": 0.98, "left_behind": 0.97, "wrong_direction": 0.85}
    for kind, least in seen.items():
        found = [share for (k, _), share in calmer.items() if k == kind]
        assert min(found) > least, calmer
    flash_only = next(e for e in events if e["kind"] == "light_flash")
    assert calmer["light_flash", flash_only["clip"]] < 0.99
    assert len(list((tmp_path / "demo/scores/street/overlay").glob("*.mp4"))) == 8
    assert "look at" in out
