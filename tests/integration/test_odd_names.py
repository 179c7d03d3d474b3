"""Names that are not UTF-8, of footage and of places to write to, in every command."""

import io
import logging
import os
import shlex
from pathlib import Path

import pytest
from torch import nn

from tests.browser import chromium, troubles_of
from tests.small_footage import small_model, write_clips
from tlae.cli import main
from tlae.model_file import save_model


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Two clips; the footage, a clip and a picture have names in Latin-1."""
    plain = write_clips(tmp_path / "plain", (12, 12), odd=((1, 8),))
    place = tmp_path / odd("caf\xe9")
    try:
        (plain / "c0/004.png").rename(plain / "c0" / odd("00\xe4.png"))
        (plain / "c1").rename(plain / odd("caf\xe9"))
        plain.rename(place)
    except OSError:
        pytest.skip("this file system holds UTF-8 names only")
    return place


def odd(name: str) -> str:
    """The name as Python has it where its bytes are Latin-1."""
    return os.fsdecode(name.encode("latin-1"))


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    model = small_model()
    for parameter in model.detector.net.net.parameters():
        nn.init.zeros_(parameter)
    save_model(model, tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def test_footage_may_have_any_names_in_every_command(
    footage: Path, model_file: Path, tmp_path: Path
) -> None:
    cache, model = f"paths.cache={tmp_path}/cache", f"model_file={model_file}"
    scores, here = f"scores={tmp_path}/s", f"footage={footage}"
    places = [f"paths.scores={tmp_path}", cache]
    assert main(["score", model, here, "name=s", "scoring.threshold=0.5", *places]) == 0
    for words in (
        ["events", scores, "clips=true", "coco=true"],
        ["render", scores, "frames=[8]"],
        ["report", scores],
        ["evaluate", scores, "labels=normal"],
        ["evaluate", f"scores={tmp_path}/s/scores.csv", "labels=normal"],
        ["calibrate", model, here, cache],
        ["mask", here, f"out={tmp_path}/mask.yaml"],
        ["describe", f"images={footage}", f"out={tmp_path}/d"],
    ):
        assert main(words) == 0, words
    texts = [p for p in tmp_path.rglob("*") if p.suffix in (".csv", ".json", ".html")]
    assert {"scores.csv", "ledger.csv", "report.html", "measures.json", "events.coco.json"} <= {
        path.name for path in texts
    }
    for path in texts:
        path.read_bytes().decode("utf-8")
    assert "caf?" in (tmp_path / "s/report.html").read_text(encoding="utf-8")


def test_a_clip_with_a_very_long_name_keeps_within_the_report(
    model_file: Path, tmp_path: Path
) -> None:
    footage = write_clips(tmp_path / "f", (12, 12), odd=((0, 8), (1, 8)))
    (footage / "c0").rename(footage / ("long" * 40))
    (footage / "c1").rename(footage / "\u0643\u0627\u0645\u064a\u0631\u0627 <b> & 'c'")
    words = [f"model_file={model_file}", f"footage={footage}", "name=s", "scoring.threshold=0.01"]
    places = [f"paths.scores={tmp_path}", f"paths.cache={tmp_path}/cache"]
    assert main(["score", *words, *places]) == 0
    assert main(["report", f"scores={tmp_path}/s"]) == 0
    with chromium() as browser:
        for width in (390, 1280):
            opened = browser.new_page(viewport={"width": width, "height": 844})
            troubles = troubles_of(opened, "file:", "data:")
            opened.goto((tmp_path / "s/report.html").as_uri())
            assert opened.locator(".event").count() >= 2
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
            assert troubles == []


def test_a_place_to_write_to_may_have_any_name(
    footage: Path,
    model_file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("tlae"), "propagate", False)  # pytest keeps UTF-8 alone
    place, model, here = footage / "new", f"model_file={model_file}", f"footage={footage}"
    cache = f"paths.cache={place}"
    assert main(["score", model, here, "name=s", f"paths.scores={place}", cache]) == 0
    assert main(["calibrate", model, here, cache]) == 0
    assert main(["describe", f"images={footage}", f"out={place}/d"]) == 0
    # Tables of clusters are written by pyarrow, which takes UTF-8 alone.
    assert (
        main(["cluster", f"descriptors={place}/d", f"out={place}/c", "method=kmeans", "k=2"]) == 2
    )
    shown = capsys.readouterr().err.splitlines()[-1]
    assert "tlae cluster: folders and files to be written must have names in UTF-8" in shown


def test_odd_names_are_printed_where_the_terminal_is_strict(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = io.BytesIO()
    terminal = io.TextIOWrapper(printed, "ascii", "strict")
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr(logging.getLogger("tlae"), "propagate", False)  # pytest keeps UTF-8 alone
    out = footage / "mask.yaml"
    assert main(["mask", f"footage={footage}", f"out={out}", "restless=0.01"]) == 0
    terminal.flush()
    assert b"caf\\udce9" in printed.getvalue()
    assert "caf?" in out.read_text(encoding="utf-8")


def test_the_next_command_can_be_copied_where_names_have_blanks_and_quotes(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / 'S\u00fcd\'s "gate" 1'
    footage = write_clips(place / "f", (12, 12))
    model = place / "m.safetensors"
    model_file.rename(model)
    cache = f"paths.cache={place}/cache"
    scores, told = f"scores={place}/s", []
    for words in (
        ["score", f"model_file={model}", f"footage={footage}", "name=s", f"paths.scores={place}"],
        ["calibrate", f"model_file={model}", f"footage={footage}"],
        ["mask", f"footage={footage}", f"out={place}/mask.yaml", "restless=0.01"],
        ["describe", f"images={footage}", f"out={place}/d"],
    ):
        paths = [cache] if words[0] in ("score", "calibrate") else []
        assert main([*words, *paths]) == 0, words
        told += [line for line in capsys.readouterr().out.splitlines() if "tlae " in line]
    words = [word for line in told for word in shlex.split(line.replace("`", " "))]
    for word in (
        scores,
        f"model_file={place}/m-f.safetensors",
        f"footage.mask={place}/mask.yaml",
        f"descriptors={place}/d",
    ):
        assert word in words
