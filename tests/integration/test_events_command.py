"""`tlae events` on small footage: other alarms, zones, normal footage, clips; bad input."""

import json
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from torch import nn

from tests.small_footage import small_model, write_clips
from tlae.cli import main
from tlae.model_file import save_model
from tlae.scoring.results import read_results

ODD = ((1, 8), (1, 9), (1, 10), (1, 11))  # top right of the picture
ZONES = """\
zones:
  left: {points: [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}
  corner: {points: [[0.7, 0], [1, 0], [1, 0.4], [0.7, 0.4]], threshold: 0.3}
"""


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    footage = write_clips(tmp_path / "n", (20, 20), odd=ODD)
    model = small_model()
    for parameter in model.detector.net.net.parameters():
        nn.init.zeros_(parameter)  # it expects the mean frame
    save_model(model, tmp_path / "m.safetensors")
    words = [f"model_file={tmp_path}/m.safetensors", f"footage={footage}", "name=s"]
    rule = ["scoring.threshold=0.5", "scoring.smooth_frames=0", "events.low=1"]
    places = [f"paths.scores={tmp_path}", f"paths.cache={tmp_path}/cache"]
    assert main(["score", *words, *rule, *places]) == 0
    return tmp_path / "s"


def zones_file(scored: Path, text: str = ZONES) -> str:
    path = scored.parent / "zones.yaml"
    path.write_text(text)
    return f"zones={path}"


def spans(scored: Path) -> list[tuple[str | None, int, int]]:
    events = json.loads((scored / "events.json").read_text())
    return [(e["zone"], e["first_frame"], e["last_frame"]) for e in events]


def test_without_settings_the_tables_stay_what_score_wrote(scored: Path) -> None:
    names = ("scores.csv", "events.json", "events.csv")
    before = [(scored / name).read_bytes() for name in names]
    assert spans(scored) == [(None, 8, 11)]
    assert main(["events", f"scores={scored}", "low=1"]) == 0
    assert [(scored / name).read_bytes() for name in names] == before


def test_alarms_a_day_of_frames_without_times_are_refused(
    scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zones = ZONES.replace("threshold: 0.3", "alarms_per_day: 2")
    for words in (["scoring.alarms_per_day=2"], [zones_file(scored, zones)]):
        assert main(["events", f"scores={scored}", *words]) == 2
        assert "score it again with footage.interval_s=SECONDS" in capsys.readouterr().err
    words = [f"model_file={scored.parent}/m.safetensors", f"footage={scored.parent}/n", "name=t"]
    places = [f"paths.scores={scored.parent}", f"paths.cache={scored.parent}/cache"]
    assert main(["score", *words, *places, "scoring.alarms_per_day=2"]) == 2
    assert "needs the time between frames" in capsys.readouterr().err


def test_another_threshold_needs_no_net_and_changes_the_alarms(scored: Path) -> None:
    assert main(["events", f"scores={scored}", "low=1", "scoring.threshold=99"]) == 0
    assert spans(scored) == []
    results = read_results(scored)
    assert not results.table["alarm"].any()
    assert (results.table["threshold"] == 99).all()
    assert results.summary["threshold"] == 99
    assert main(["events", f"scores={scored}", "low=1", "min_duration_s=0.5"]) == 0
    assert spans(scored) == []  # the event lasts four frames of a tenth of a second
    assert main(["events", f"scores={scored}", "low=1", "scoring.threshold=0.5"]) == 0
    assert spans(scored) == [(None, 8, 11)]


def test_zones_are_scored_from_the_stored_maps(scored: Path) -> None:
    whole = read_results(scored).table
    assert main(["events", f"scores={scored}", "low=1", zones_file(scored)]) == 0
    assert spans(scored) == [("corner", 8, 11)]
    results = read_results(scored)
    assert list(results.zones.zones) == ["left", "corner"]
    by_zone = pd.read_parquet(scored / "zones.parquet")
    assert list(by_zone) == [
        f"{z}.{c}" for z in ("left", "corner") for c in ("raw", "threshold", "alarm")
    ]
    row = 20 + 9
    assert by_zone.loc[row, "corner.raw"] == pytest.approx(
        results.map_of(row)[:13, 22:].max(), rel=1e-3
    )
    assert (by_zone["left.threshold"] == 0.5).all()
    assert (by_zone["corner.threshold"] == 0.3).all()
    np.testing.assert_array_equal(results.table["alarm"], by_zone["corner.alarm"])
    over = results.table["raw"] > results.table["threshold"]  # of the worst zone of each frame
    np.testing.assert_array_equal(results.table["alarm"], over)
    assert main(["events", f"scores={scored}", "low=1", "scoring.threshold=0.5"]) == 0
    again = read_results(scored)
    assert not again.zones.zones
    pd.testing.assert_frame_equal(again.table, whole)


def test_ignoring_a_place_takes_its_events_away(scored: Path) -> None:
    ignore = "ignore:\n  corner: [[0.6, 0], [1, 0], [1, 0.5], [0.6, 0.5]]\n"
    assert main(["events", f"scores={scored}", "low=1", zones_file(scored, ignore)]) == 0
    assert spans(scored) == []


def test_normal_footage_calibrates_each_zone(scored: Path) -> None:
    model_file = scored.parent / "m.safetensors"
    normal = write_clips(scored.parent / "normal", (30,))
    places = [f"paths.scores={scored.parent}", f"paths.cache={scored.parent}/cache"]
    same = ["scoring.smooth_frames=0", f"model_file={model_file}"]
    assert main(["score", f"footage={normal}", "name=calm", *same, *places]) == 0
    budget = "scoring.false_alarm_rate=0.04"
    zones = zones_file(scored, ZONES.replace(", threshold: 0.3", ""))
    words = ["events", f"scores={scored}", "low=1", zones, budget]
    assert main([*words, f"normal_scores={scored.parent}/calm"]) == 0
    assert spans(scored) == [("corner", 8, 11)]
    thresholds = pd.read_parquet(scored / "zones.parquet").iloc[0]
    assert thresholds["corner.threshold"] < thresholds["left.threshold"]  # it is calm there


def test_normal_footage_is_smoothed_in_time_as_the_scores_are(scored: Path) -> None:
    """However it was scored: thresholds of unsmoothed scores are too high for smoothed ones."""
    normal = write_clips(scored.parent / "normal", (30,), odd=((0, 4),))
    places = [f"paths.scores={scored.parent}", f"paths.cache={scored.parent}/cache"]
    thresholds = []
    for frames in (0, 9):
        words = [f"model_file={scored.parent}/m.safetensors", f"name=calm{frames}"]
        smooth = f"scoring.smooth_frames={frames}"
        assert main(["score", f"footage={normal}", *words, smooth, *places]) == 0
        budget = "scoring.false_alarm_rate=0.04"
        normal_scores = f"normal_scores={scored.parent}/calm{frames}"
        assert main(["events", f"scores={scored}", zones_file(scored), budget, normal_scores]) == 0
        thresholds.append(pd.read_parquet(scored / "zones.parquet")["left.threshold"][0])
    assert thresholds[0] == thresholds[1]


def test_clips_show_every_event(scored: Path) -> None:
    words = ["events", f"scores={scored}", "low=1", "padding_s=0.25"]
    assert main([*words, "clips=true", "coco=true"]) == 0
    files = sorted(path.name for path in (scored / "events").iterdir())
    assert files == ["E0001.mp4", "E0001.png"]
    with av.open(scored / "events/E0001.mp4") as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name in ("h264", "libx264")
        assert len(list(container.decode(stream))) == 4 + 2 * 2
    coco = json.loads((scored / "events.coco.json").read_text())
    assert len(coco["annotations"]) == 1

    assert main(words) == 0  # the same events: their clips stay
    assert (scored / "events/E0001.mp4").is_file()
    assert main([*words, "scoring.threshold=99"]) == 0
    assert not (scored / "events").exists()  # E0001 would be another now
    assert not (scored / "events.coco.json").exists()


def test_without_the_footage_events_are_found_and_clips_refused(
    scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scored.parent / "n").rename(scored.parent / "moved")
    words = ["events", f"scores={scored}", "low=1", "clips=true"]
    assert main(words) == 2
    assert "clips need the footage" in capsys.readouterr().err
    assert spans(scored) == [(None, 8, 11)]
    assert not (scored / "events").exists()
    assert main([*words, f"footage={scored.parent}/moved"]) == 0
    assert (scored / "events/E0001.mp4").is_file()


def test_one_giant_event_is_told(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", f"scores={scored}", "scoring.threshold=-1"]) == 0
    assert spans(scored) == [(None, 0, 19), (None, 0, 19)]  # one in each clip
    assert "most frames are in alarm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["min_duration_s=-1"], "min_duration_s must be >= 0"),
        (["merge_s=-1"], "merge_s must be >= 0"),
        (["padding_s=-1"], "padding_s must be >= 0"),
        (["most_clips=0"], "most_clips must be >= 1"),
        (["low=2"], "low must be in"),
        (["zones=none.yaml"], "zones must be an existing YAML file"),
        (["model_file=none.safetensors"], "give model_file=... where it is now"),
        (["normal_scores=nowhere"], "folder written by `tlae score`"),
        (["scoring.alarms_per_day=0"], "alarms_per_day must be > 0"),
        (["scoring.kernel=box_sum"], "no setting 'kernel'"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    words: list[str], message: str, scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in scored.glob("*.*") if path.is_file()}
    assert main(["events", f"scores={scored}", *words]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1
    assert {p.name: p.read_bytes() for p in scored.glob("*.*") if p.is_file()} == before


def test_a_model_that_was_named_from_the_project_is_found_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    elsewhere.mkdir()
    footage = write_clips(project / "f", (8,))
    save_model(small_model(), project / "m.safetensors")
    monkeypatch.chdir(project)
    words = ["model_file=m.safetensors", f"footage={footage}", "name=s", "paths.cache=cache"]
    assert main(["score", *words]) == 0
    monkeypatch.chdir(elsewhere)
    assert main(["events", f"scores={project}/scores/s"]) == 0


def test_unfinished_scores_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.part").mkdir()
    assert main(["events", f"scores={tmp_path}/s"]) == 2
    assert "not finished: wait for the job, or run `tlae score` again" in capsys.readouterr().err
