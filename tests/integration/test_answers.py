"""The user's answers: what is called normal is hidden from then on, never silently."""

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import pytest
from torch import nn

import tlae
from tests.small_footage import frame_image, small_model
from tlae.cli import main
from tlae.errors import UserError
from tlae.model_file import load_model, save_model
from tlae.scoring.answers import answers_path, carry_answers, read_answers
from tlae.scoring.results import read_results
from tlae.training.run_folder import RunFolder

GATE, YARD = (slice(2, 8), slice(2, 8)), (slice(22, 30), slice(20, 28))
STARTED = datetime(2026, 6, 13)
Things = dict[int, tuple[slice, slice]]


def stills(folder: Path, things: Things, start: datetime = STARTED) -> Path:
    """A picture an hour, up to the last hour with something bright in it, and one more."""
    folder.mkdir()
    for hour in range(max(things) + 2):
        picture = frame_image(0)
        if hour in things:
            picture[things[hour]] = 255
        name = (start + timedelta(hours=hour)).strftime("%Y-%m-%dT%H_%M_%S.png")
        cv2.imwrite(str(folder / name), picture)
    return folder


def score(root: Path, footage: Path, *words: str) -> Path:
    rule = ["scoring.threshold=0.5", "scoring.smooth_frames=0", "keep_rebuilt=false"]
    places = [f"paths.scores={root}/scores", f"paths.cache={root}/cache"]
    asked = [f"model_file={root}/run/model.safetensors", f"footage={footage}"]
    assert main(["score", *asked, f"name={footage.name}", *rule, *places, *words]) == 0
    return root / "scores" / footage.name


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("answers")
    model = small_model()
    for parameter in model.detector.net.net.parameters():
        nn.init.zeros_(parameter)  # it expects the mean frame
    (root / "run").mkdir()
    save_model(model, root / "run/model.safetensors")
    # E0001: in the yard at ten for two hours; E0002: at the gate, at two at night of each day.
    score(root, stills(root / "june", {10: YARD, 11: YARD, 26: GATE, 50: GATE, 74: GATE}))
    return root


@pytest.fixture
def root(once: Path, tmp_path: Path) -> Path:
    """A model and its scores, which the test may change."""
    for name in ("run", "scores"):
        shutil.copytree(once / name, tmp_path / name)
    return tmp_path


def events(root: Path, *words: str, scores: str = "june") -> int:
    model = f"model_file={root}/run/model.safetensors"
    return main(["events", f"scores={root}/scores/{scores}", model, *words])


def shown(root: Path, scores: str = "june") -> list[str]:
    return [event.id for event in read_results(root / "scores" / scores).events]


def refused(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert events(root, *words) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1, line
    return line


def test_what_is_called_normal_is_hidden_there_and_in_later_scores(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    june = root / "scores/june"
    assert read_results(june).events[1].what == "recurring"
    table = (june / "scores.csv").read_bytes()
    assert events(root, "normal=E0002") == 0
    said = capsys.readouterr().out
    assert "A0001: E0002 of june is normal" in said
    assert "1 event hidden by your answers" in said
    assert "E0002 june (from 2026-06-14T02:00:00), like answer A0001" in said
    results = read_results(june)
    assert [event.id for event in results.events] == ["E0001"]
    assert [event.id for event in results.hidden] == ["E0002"]
    assert results.events[0].rank == 1
    assert results.summary["answers"]["hidden"] == 1
    assert (june / "scores.csv").read_bytes() == table
    (answer,) = read_answers(root / "run/model.safetensors").marks
    assert (answer.mark, answer.size_hw, answer.event.id) == ("normal", (32, 32), "E0002")

    # At the gate: near two at night it is alike, at five in the afternoon it is not.
    later = stills(root / "july", {2: GATE, 17: GATE, 18: YARD}, STARTED + timedelta(days=30))
    july = score(root, later)
    assert "1 event hidden by your answers" in capsys.readouterr().out
    assert [event.first_frame for event in read_results(july).hidden] == [2]
    assert [event.first_frame for event in read_results(july).events] == [17, 18]
    assert events(root, "answers=false", scores="july") == 0
    assert len(shown(root, "july")) == 3
    assert "hidden" not in capsys.readouterr().out
    assert events(root, scores="july") == 0
    assert len(shown(root, "july")) == 2


def test_an_answer_is_taken_back_by_its_key_or_by_what_it_hides(root: Path) -> None:
    assert events(root, "normal=E0001,E0002") == 0
    assert shown(root) == []
    assert events(root, "take_back=E0002") == 0
    assert shown(root) == ["E0002"]
    assert events(root, "normal=E0002", "take_back=A0001") == 0
    assert shown(root) == ["E0001"]
    keys = [mark.key for mark in read_answers(root / "run/model.safetensors").marks]
    assert keys == ["A0003"]  # no key means another answer now


def test_bad_answers_are_one_line_and_change_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = root / "run/answers.json"
    assert "got 'E0099'; it holds E0001 to E0002" in refused(root, capsys, "normal=E0099")
    assert "got 'e0001'" in refused(root, capsys, "normal=e0001")
    assert "E0001 twice" in refused(root, capsys, "normal=E0001,E0001")
    assert "must name events, such as" in refused(root, capsys, "normal=,")
    assert "got zones, scoring" in refused(
        root, capsys, "normal=E0001", "zones=z", "scoring.threshold=1"
    )
    folder = refused(root, capsys, f"normal={root}/scores/june")
    assert "normal_scores=" in folder
    assert "holds none" in refused(root, capsys, "take_back=A0001")
    assert not home.exists()
    assert events(root, "normal=E0001") == 0
    before = home.read_bytes()
    again = refused(root, capsys, "normal=E0001")
    assert "E0001 is alike A0001 already" in again
    assert "E0002 is shown" in refused(root, capsys, "take_back=E0002")
    assert home.read_bytes() == before
    model = load_model(root / "run/model.safetensors")
    save_model(model, root / "run/other.safetensors")
    (root / "run/other.safetensors").replace(root / "run/model.safetensors")
    assert events(root, "normal=E0002") == 0  # the same bytes


def test_scores_of_another_model_take_no_answers(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(small_model("stae"), root / "run/model.safetensors")
    assert "was scored by another model" in refused(root, capsys, "normal=E0001")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is damaged or of another kind"),
        ("[]", "it holds no answers"),
        ('{"format": 2, "answers": []}', "it is of format 2"),
        ('{"format": 1, "answers": [{"key": "A0001"}]}', "must hold its event"),
        ('{"format": 1, "answers": [3]}', "must be an object"),
    ],
)
def test_a_damaged_file_is_refused_before_anything_is_done(
    content: str, message: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "run/answers.json").write_text(content)
    for words in (["normal=E0001"], ["take_back=A0001"], []):
        assert message in refused(root, capsys, *words)
    assert (root / "run/answers.json").read_text() == content
    assert shown(root) == ["E0001", "E0002"]
    assert events(root, "answers=false") == 0


def test_answers_of_pictures_of_another_shape_are_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert events(root, "normal=E0001") == 0
    home = root / "run/answers.json"
    facts = json.loads(home.read_text())
    facts["answers"][0]["size_hw"] = [64, 64]
    home.write_text(json.dumps(facts))
    assert events(root) == 0  # another resolution, the same shape
    facts["answers"][0]["size_hw"] = [480, 640]
    home.write_text(json.dumps(facts))
    line = refused(root, capsys)
    assert "A0001" in line
    assert "is of 640x480, these are 32x32; take it back (take_back=A0001)" in line
    assert events(root, "take_back=A0001") == 0
    assert events(root) == 0


def test_models_of_a_run_share_their_answers_and_others_carry_them(root: Path) -> None:
    run = root / "run"
    for name in ("model.safetensors", "model-june.safetensors", "model.onnx"):
        assert answers_path(run / name) == run / "answers.json"
    assert answers_path(root / "gate.onnx") == root / "gate.answers.json"
    assert carry_answers(run / "model.safetensors", root / "gate.onnx") is None  # there are none
    assert events(root, "normal=E0001") == 0
    assert carry_answers(run / "model.safetensors", root / "gate.onnx") is not None
    assert (root / "gate.answers.json").read_bytes() == (run / "answers.json").read_bytes()
    assert carry_answers(run / "model.safetensors", run / "model-june.safetensors") is None


def test_answers_outlive_a_training_into_the_same_folder(root: Path) -> None:
    assert events(root, "normal=E0001") == 0
    kept = (root / "run/answers.json").read_bytes()
    run = RunFolder(root / "run")
    run.settings.write_text('{"store": "one", "seed": 0}')
    run.begin({"store": "one", "seed": 1}, overwrite=True)
    assert not run.model.exists()
    assert (root / "run/answers.json").read_bytes() == kept


def test_answers_from_python(root: Path, tmp_path: Path) -> None:
    place = {"model_file": str(root / "run/model.safetensors")}
    scores = tlae.open_scores(root / "scores/june")
    seen = tlae.find_events(scores, normal=["E0002"], settings=place)
    assert [event.id for event in seen.events] == ["E0001"]
    assert [event.hidden_by for event in seen.hidden] == ["A0001"]
    seen = tlae.find_events(seen, take_back=["E0002"], settings=place)
    assert (len(seen.events), len(seen.hidden)) == (2, 0)
    with pytest.raises(UserError, match="must be a list of ids"):
        tlae.find_events(seen, normal=[1], settings=place)  # type: ignore[list-item]
    with pytest.raises(UserError, match="got 'E0009'"):
        tlae.find_events(seen, normal=["E0009"], settings=place)
    moved = (root / "scores/june").rename(tmp_path / "renamed")
    seen = tlae.find_events(tlae.open_scores(moved), normal=["E0001"], settings=place)
    assert [event.id for event in seen.hidden] == ["E0001"]


def test_the_report_lists_what_is_hidden(root: Path) -> None:
    assert events(root, "normal=E0001,E0002") == 0
    assert main(["report", f"scores={root}/scores/june"]) == 0
    page = (root / "scores/june/report.html").read_text(encoding="utf-8")
    assert "2 events hidden by your answers" in page
    assert "2 events hidden by your answers" in page
    assert f"scores={root}/scores/june take_back=E0002" in page


def test_clips_stay_where_only_answers_change(root: Path) -> None:
    folder = root / "scores/june/events"
    folder.mkdir()
    (folder / "E0001.mp4").touch()
    assert events(root, "normal=E0002") == 0
    assert (folder / "E0001.mp4").exists()
    assert events(root, "scoring.threshold=0.7") == 0
    assert not (folder / "E0001.mp4").exists()


def test_old_scores_know_no_answers(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = root / "scores/june/events.json"
    old = [
        {k: v for k, v in one.items() if k not in ("hidden_by", "what", "rank")}
        for one in json.loads(path.read_text())
    ]
    path.write_text(json.dumps(old))
    assert "is a stretch of alarm" in refused(root, capsys, "normal=E0001")
    assert events(root) == 0
    assert events(root, "normal=E0001") == 0
    assert shown(root) == ["E0002"]


def test_kinds_are_told_by_pictures_and_without_them_by_the_map(
    root: Path, once: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yard, gate = read_results(root / "scores/june").events
    assert (yard.what, yard.over_at) == ("new object", "2026-06-13T12:00:00")
    assert yard.told_by.startswith("something stands out where nothing did before")
    assert (gate.what, gate.still_so) == ("recurring", None)
    assert events(root, f"footage={root}/nowhere") == 0
    said = capsys.readouterr().out
    assert "determined without pictures" in said
    assert "E0001 june frames 10-11 (from 2026-06-13T10:00:00), peak 0.6079, lasting" in said
    moved = shutil.copytree(once / "june", root / "moved/june")
    assert events(root, f"footage={moved}") == 0
    assert ", new object, left by 2026-06-13T12:00:00" in capsys.readouterr().out
    (moved / "2026-06-13T10_00_00.png").rename(moved / "2026-06-13T10_00_01.png")
    (moved / "2026-06-13T11_00_00.png").rename(moved / "2026-06-13T11_00_01.png")
    assert events(root, f"footage={moved}") == 0  # pictures of other names were not scored
    assert read_results(root / "scores/june").events[0].what == "lasting"
    assert main(["report", f"scores={root}/scores/june", f"footage={once}/june"]) == 0
    page = (root / "scores/june/report.html").read_text(encoding="utf-8")
    assert "Recurring: it came back on 2 further days at this hour." in page
