"""The report, from the command line and in a browser."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from torch import nn

from tests.browser import barriers_of, chromium
from tests.command_words import reworded
from tests.rendering.scored_footage import scored_weeks, weeks_events, weeks_table
from tests.small_footage import small_model, write_clips
from tlae.cli import main
from tlae.model_file import save_model
from tlae.rendering.report_page.event_list import place_events
from tlae.rendering.report_page.keogram import Keogram
from tlae.rendering.report_page.page import EventPictures, report_html
from tlae.rendering.strength import share_text
from tlae.workflows.report import close_up


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores of two clips of 96x128 pixels without clock times; one frame is odd, one void."""
    root = tmp_path_factory.mktemp("report")
    footage = write_clips(root / "n", (20, 20), odd=((1, 9),), size_hw=(96, 128))
    (footage / "c0/004.png").write_bytes(b"")
    model = small_model()
    for parameter in model.detector.net.net.parameters():
        nn.init.zeros_(parameter)  # it expects the mean frame
    save_model(model, root / "m.safetensors")
    words = [f"model_file={root}/m.safetensors", f"footage={footage}", "name=s"]
    budget = ["scoring.threshold=0.5", "scoring.smooth_frames=0"]
    assert main(["score", *words, *budget, f"paths.scores={root}", f"paths.cache={root}/c"]) == 0
    return root / "s"


@pytest.fixture
def copied(scored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scored, tmp_path / "s"))


def test_the_page_shows_the_event_its_pictures_and_the_keogram(
    scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"
    assert main(["report", f"scores={scored}", f"out={out}"]) == 0
    html = out.read_text()
    assert "1 event in 4.0 s of footage; it was in c1 at 00:00.9" in html
    assert html.count('class="shot ') == 3  # map, picture, expected
    assert html.count('class="strip"') == 2
    assert "Left out, because not readable: 1 x empty file." in html
    assert str(out) in capsys.readouterr().out


def test_a_thing_is_shown_before_it_came_since_and_now(copied: Path) -> None:
    assert main(["events", f"scores={copied}", "by=thing"]) == 0
    assert main(["report", f"scores={copied}"]) == 0
    shown = re.findall(r'class="shot ([^"]+)"', (copied / "report.html").read_text())
    assert shown == ["before", "since", "now", "map", "expected"]


@pytest.mark.parametrize(
    ("box", "corner"),
    [((60, 40, 4, 4), (52, 35)), ((0, 0, 4, 4), (0, 0)), ((124, 92, 4, 4), (109, 82))],
)
def test_a_close_up_surrounds_the_place_and_stays_within_the_picture(
    box: tuple[int, ...], corner: tuple[int, int]
) -> None:
    rows, columns = np.mgrid[:96, :128]
    image = np.stack([rows, columns, columns], axis=-1).astype(np.uint8)
    view = close_up(image, box)
    assert view.shape == (240, 320, 3)
    top, left = view[0, 0, :2].tolist()
    assert abs(left - corner[0]) <= 1
    assert abs(top - corner[1]) <= 1


def test_without_footage_there_is_a_page_without_pictures(
    scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"
    assert main(["report", f"scores={scored}", "footage=/gone", f"out={out}"]) == 0
    html = out.read_text()
    assert "there are no pictures" in html
    assert "there are no pictures" in capsys.readouterr().out
    assert 'class="shot ' not in html
    assert 'id="E0001"' in html


def test_no_event_is_a_result_too(copied: Path) -> None:
    table = pd.read_parquet(copied / "scores.parquet")
    table.assign(alarm=False).to_parquet(copied / "scores.parquet")
    (copied / "events.json").write_text("[]")
    assert main(["report", f"scores={copied}"]) == 0
    assert "No event in 4.0 s of footage" in (copied / "report.html").read_text()


def test_one_frame_and_none_readable(copied: Path) -> None:
    table = pd.read_parquet(copied / "scores.parquet")
    (copied / "events.json").write_text("[]")
    table.head(1).assign(alarm=False).to_parquet(copied / "scores.parquet")
    summary = json.loads((copied / "summary.json").read_text())
    (copied / "summary.json").write_text(json.dumps(summary | {"frames": 1}))
    assert main(["report", f"scores={copied}"]) == 0
    none = table.assign(alarm=False, state="truncated", raw=np.nan, score=np.nan)
    none.to_parquet(copied / "scores.parquet")
    (copied / "summary.json").write_text(json.dumps(summary))
    assert main(["report", f"scores={copied}"]) == 0
    assert "None of the 40 frames could be read" in (copied / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["out=/nowhere/page.html"], "/nowhere/page.html must be writable"),
        (["out=page.pdf"], "must be a file ending in .html, got page.pdf"),
        (["top=-1"], "top must be >= 0"),
        (["scores=/nowhere"], "must be a folder written by `tlae score`"),
    ],
)
def test_bad_requests_get_one_line(
    words: list[str], expected: str, scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(reworded(["report", f"scores={scored}"], *words)) == 2
    errors = capsys.readouterr().err.strip()
    assert expected in errors
    assert len(errors.splitlines()) == 1


def damaged(folder: Path) -> None:
    (folder / "events.json").write_text("[{")


def of_another_version(folder: Path) -> None:
    table = pd.read_parquet(folder / "scores.parquet")
    table.drop(columns="alarm").to_parquet(folder / "scores.parquet")


def unfinished(folder: Path) -> None:
    folder.rename(folder.with_name("s.part"))


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (damaged, "events.json is damaged or incomplete"),
        (of_another_version, "lack alarm: another version"),
        (unfinished, "it is not finished: wait for the job, or run `tlae score` again"),
    ],
)
def test_unusable_scores_get_one_line(
    harm: Any, expected: str, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(copied)
    assert main(["report", f"scores={copied}"]) == 2
    errors = capsys.readouterr().err.strip()
    assert expected in errors
    assert len(errors.splitlines()) == 1
    assert not (copied / "report.html").exists()


def test_one_video_over_all_clips(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["layout=timelapse", "fps=10", "top=0"]
    assert main(["render", f"scores={scored}", *words]) == 0
    output = capsys.readouterr().out
    assert (scored / "timelapse.mp4").is_file()
    assert "1.0 s of footage a second" in output
    assert main(["render", f"scores={scored}", *words, "slow=0"]) == 2


@pytest.fixture(scope="module")
def weeks_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand events in sixty days, the strongest with pictures that are hard to pack."""
    table = weeks_table(60, per_day=288, alarm_every=17)
    scored = scored_weeks(table, weeks_events(table))
    assert len(scored.events) > 1000
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (150, 200, 3), np.uint8)
    pictures = {
        event.id: EventPictures(texture, texture, texture).packed(24)
        for event in sorted(scored.events, key=lambda e: -e.strength)[:24]
    }
    keogram = Keogram(scored.time)
    for at_s in scored.time.axis_s[::4]:
        keogram.add(float(at_s), rng.integers(0, 255, (64, 3, 3), np.uint8))
    page = tmp_path_factory.mktemp("weeks") / "report.html"
    page.write_text(report_html(scored, pictures, keogram.strips()))
    return page


def test_a_thousand_events_fit_into_ten_megabytes(weeks_page: Path) -> None:
    assert weeks_page.stat().st_size < 10_000_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    with chromium() as started:
        yield started


def shown(page: Any) -> list[dict[str, str]]:
    script = "cards => cards.map(card => ({...card.dataset, id: card.id}))"
    return list(page.eval_on_selector_all(".event:not([hidden])", script))


@pytest.fixture
def opened(browser: Any, weeks_page: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page from disk at the width of a phone, and all that went wrong or to the network."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page, trouble = context.new_page(), []
    local = ("file:", "data:")
    page.on("request", lambda r: None if r.url.startswith(local) else trouble.append(r.url))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(said.text))
    page.goto(weeks_page.as_uri())
    assert len(shown(page)) == 60  # the strongest first
    page.click("#more")
    yield page, trouble
    context.close()


def test_filters_narrow_and_sorting_orders(opened: tuple[Any, list[str]]) -> None:
    page, trouble = opened
    everything = shown(page)
    page.select_option("[name=zone]", "gate")
    page.select_option("[name=kind]", "scene")
    page.select_option("[name=stays]", "stays")
    page.select_option("[name=mode]", "infrared")
    narrowed = shown(page)
    wanted = {"zone": "gate", "kind": "scene", "stays": "stays", "mode": "infrared"}
    expected = [e for e in everything if all(e[key] == wanted[key] for key in wanted)]
    assert 0 < len(narrowed) < len(everything)
    assert narrowed == expected
    assert page.inner_text("#shown") == f"{len(narrowed)} of {len(everything)} events"
    page.select_option("[name=sort]", "time")
    starts = [float(e["from"]) for e in shown(page)]
    assert starts == sorted(starts)
    page.click("#clear")
    assert len(shown(page)) == len(everything)
    assert trouble == []


def test_an_hour_of_the_calendar_picks_its_events(opened: tuple[Any, list[str]]) -> None:
    page, trouble = opened
    cell = page.locator("#calendar button[aria-label*='Mon 1 Jun, 2 h']")
    start = float(cell.get_attribute("data-from"))
    expected = {e["id"] for e in shown(page) if start <= float(e["from"]) < start + 3600}
    assert expected
    cell.click()
    assert {e["id"] for e in shown(page)} == expected
    cell.press("ArrowRight")
    assert "3 h" in page.evaluate("document.activeElement.ariaLabel")
    assert trouble == []


def test_timeline_is_reached_by_keys_and_opens_the_event(opened: tuple[Any, list[str]]) -> None:
    page, trouble = opened
    page.focus("#timeline")
    before = page.evaluate("view.to - view.from")
    page.keyboard.press("+")
    assert page.evaluate("view.to - view.from") < before
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    first = min(shown(page), key=lambda e: float(e["from"]))["id"]
    assert page.evaluate("document.activeElement.id") == first
    assert page.inner_text("#which").startswith(f"{first}, 1 of ")
    assert trouble == []


def test_a_thinned_curve_breaks_at_gaps_alone(browser: Any, tmp_path: Path) -> None:
    table = weeks_table(35, per_day=2880)
    table = table[~table["frame"].between(50_000, 52_000)].reset_index(drop=True)
    path = tmp_path / "report.html"
    path.write_text(report_html(scored_weeks(table, []), {}, []))
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.evaluate("page.points.thinned")
    assert page.evaluate("broken.slice(0, count).reduce((sum, one) => sum + one)") == 1
    page.close()


def test_the_page_says_a_share_as_the_pictures_of_an_evaluation_do(
    opened: tuple[Any, list[str]],
) -> None:
    page, _ = opened
    shares = [0.0, 0.5, 0.994, 0.9994, 0.99999, 1.0]
    said = page.evaluate("shares => shares.map(one => shareText(Math.fround(one)))", shares)
    assert said == [share_text(share) for share in shares]


def test_hovering_tells_time_score_and_mode(opened: tuple[Any, list[str]]) -> None:
    page, trouble = opened
    page.hover("#timeline", position={"x": 150, "y": 120})
    lines = page.inner_text("#tip").splitlines()
    assert "Jun 2026" in lines[0] or "Jul 2026" in lines[0]
    assert lines[1].endswith("\u00d7 threshold")
    assert lines[2].endswith(" % of normal")
    assert lines[3] in ("day", "infrared")
    assert trouble == []


def test_a_picture_opens_in_large_and_every_picture_says_what_it_is(
    opened: tuple[Any, list[str]],
) -> None:
    page, trouble = opened
    page.click(".shot >> nth=0")
    assert page.evaluate("document.getElementById('large').open")
    assert page.locator("#large img").count() == 3
    page.click("#large .expected")
    assert "expected" in page.get_attribute("#large .shot >> nth=0", "class")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.getElementById('large').open")
    assert page.locator("img:not([alt]), img[alt='']").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert trouble == []


def test_nothing_bars_people_from_the_page(browser: Any, tmp_path: Path) -> None:
    table = weeks_table(2)
    scored, strip = scored_weeks(table, weeks_events(table)), np.zeros((64, 48, 3), np.uint8)
    shots = EventPictures(strip, strip, before=strip, since=strip, now=strip).packed(1)
    keogram = Keogram(scored.time)
    keogram.add(0.0, strip)
    path = tmp_path / "report.html"
    path.write_text(report_html(scored, {"E0001": shots}, keogram.strips(), ["A note."]))
    page = browser.new_page(bypass_csp=True, viewport={"width": 390, "height": 844})
    page.goto(path.as_uri())
    assert page.locator("main h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers_of(page) == []
    page.close()


def test_answers_are_words_to_copy(browser: Any, tmp_path: Path) -> None:
    table = weeks_table(4)
    found = [
        event | {"what": "lasting"} for event in weeks_events(table) if event["kind"] != "camera"
    ]
    hidden = [event | {"hidden_by": "A0001"} for event in found[4:6]]
    scored = scored_weeks(table, found[:4])
    placed = place_events(hidden, scored.table, scored.time, 0.5)
    scored = replace(scored, hidden=placed, words="tlae events scores=scores/july")
    path = tmp_path / "report.html"
    path.write_text(report_html(scored, {}, []))
    page = browser.new_page(bypass_csp=True, viewport={"width": 390, "height": 844})
    page.goto(path.as_uri())
    assert not page.is_visible("#answer")
    for event in found[:2]:
        page.click(f"#{event['id']} .normal")
    chosen = f"normal={found[0]['id']},{found[1]['id']}"
    assert page.inner_text("#answer code") == f"tlae events scores=scores/july {chosen}"
    page.click("#answer .copy")
    page.click(f"#{found[1]['id']} .normal")
    assert page.inner_text("#answer code").endswith(f"normal={found[0]['id']}")
    assert page.inner_text("#hidden summary") == "2 events hidden by your answers"
    assert not page.is_visible("#hidden li")
    page.click("#hidden summary")
    assert "like answer A0001" in page.inner_text("#hidden li >> nth=0")
    assert f"take_back={hidden[0]['id']}" in page.inner_text("#hidden li code >> nth=0")
    assert "2 events hidden by your answers" in page.inner_text("header")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers_of(page) == []
    page.close()


def test_cards_lead_to_the_video_that_shows_their_event(copied: Path) -> None:
    video = copied / "overlay" / "c1.mp4"
    video.parent.mkdir()
    video.write_bytes(b"")
    assert main(["report", f"scores={copied}"]) == 0
    assert 'href="overlay/c1.mp4#t=0.9"' in (copied / "report.html").read_text()


def test_summary_without_what_later_versions_add_is_enough(copied: Path) -> None:
    summary = json.loads((copied / "summary.json").read_text())
    kept = {key: summary[key] for key in ("footage", "rule", "threshold")}
    (copied / "summary.json").write_text(json.dumps(kept))
    assert main(["report", f"scores={copied}"]) == 0
