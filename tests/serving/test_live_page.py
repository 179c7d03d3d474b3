"""The live page in a browser."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import barriers_of, chromium, troubles_of
from tests.serving.conftest import frame_png

LIMIT_MS = 60_000
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    with chromium() as started:
        yield started


def ask(url: str, path: str, body: bytes | None = None) -> Any:
    headers = {"Content-Type": "application/json"} if body and body[:1] == b"{" else {}
    request = urllib.request.Request(f"{url}{path}", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def push(url: str, session: str, numbers: range, odd: range) -> None:
    for number in numbers:
        body = frame_png(number, odd=number in odd)
        ask(url, f"/api/sessions/{session}/frames", body)


def test_a_camera_is_watched_on_the_page(url: str, browser: Any) -> None:
    page = browser.new_page(viewport=PHONE)
    page.set_default_timeout(LIMIT_MS)
    troubles = troubles_of(page, url, "blob:", "data:")
    page.goto(url)
    page.select_option("#model", "gate")
    page.fill("#name", "North gate")
    page.click("#begin button")
    page.wait_for_selector("#live:not([hidden])")
    (session,) = ask(url, "/api/sessions")
    push(url, session["id"], range(20), odd=range(5, 9))
    page.wait_for_selector("#picture:not([hidden])")
    page.wait_for_selector("#events li img[src^=blob]")
    assert "North gate" in page.title()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shown = page.locator("#threshold-number")
    assert shown.input_value() == "0.3"
    page.focus("#threshold")
    page.keyboard.press("Home")  # the lowest threshold
    page.wait_for_selector("#facts:has-text('set here')")
    assert ask(url, f"/api/sessions/{session['id']}")["budget"] == {"threshold": 0}
    push(url, session["id"], range(20, 24), odd=range(0))
    page.wait_for_selector("#verdict.alarm")
    page.click("#as-trained")
    page.wait_for_selector("#facts:has-text('as trained')")
    assert barriers_of(page) == []
    page.click("#events li button")
    page.wait_for_selector("#large[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    page.wait_for_selector("#heat[aria-pressed=false]")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#end")
    page.wait_for_selector("#empty:not([hidden])")
    assert troubles == []


@pytest.mark.slow
def test_things_of_stills_that_left_and_that_are_normal(url: str, browser: Any) -> None:
    page = browser.new_page(viewport=PHONE)
    page.set_default_timeout(LIMIT_MS)
    troubles = troubles_of(page, url, "blob:", "data:")
    asked = b'{"model": "gate", "name": "Yard", "interval_s": 3600}'
    session = ask(url, "/api/sessions", asked)["id"]
    for hour in range(10):
        body = frame_png(0, odd=hour in (6, 7))
        ask(url, f"/api/sessions/{session}/frames?taken_at=2026-06-13T{hour:02d}:00:00", body)
    page.goto(url)
    page.wait_for_selector("#events li:has-text('not seen since 2026-06-13 07:00:00')")
    page.click("#events li button")
    page.click("#mark-normal")
    page.click("#close")
    page.wait_for_selector("#hidden:has-text('1 hidden by your answers')")
    assert page.locator("#events li").count() == 0
    page.click("#hidden summary")
    page.wait_for_selector("#hidden-events li:has-text('like answer A0001')")
    assert barriers_of(page) == []
    assert troubles == []


def test_a_session_that_outlived_its_server_shows_its_events(url: str, browser: Any) -> None:
    session = ask(url, "/api/sessions", b'{"model": "gate", "interval_s": 3600}')["id"]
    push(url, session, range(6), odd=range(2, 5))
    page = browser.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.route("**/picture?*", lambda route: route.fulfill(status=404, body="{}"))
    page.goto(url)
    page.wait_for_selector("#events li")
    assert "E0001" in page.inner_text("#events")
    assert "2.0 h" in page.inner_text("#events")  # not 7200 s
    assert page.inner_text("#no-picture").endswith("since the server began.")


@pytest.mark.slow
def test_each_frame_has_the_threshold_of_its_time(url: str, browser: Any) -> None:
    session = ask(url, "/api/sessions", b'{"model": "gate"}')["id"]
    push(url, session, range(10), odd=range(3, 7))
    patch = urllib.request.Request(
        f"{url}/api/sessions/{session}",
        b'{"false_alarm_rate": 1e-60}',  # a threshold that nothing is above
        {"Content-Type": "application/json"},
        method="PATCH",
    )
    urllib.request.urlopen(patch, timeout=60).close()
    push(url, session, range(10, 12), odd=range(0))
    points = ask(url, f"/api/sessions/{session}/points")["points"]
    assert points[-1]["threshold"] > max(point["raw"] for point in points)
    page = browser.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.goto(url)
    page.wait_for_selector("#chart[data-drawn]")
    alarms = sum(point["alarm"] for point in points)
    assert alarms > 0
    page.wait_for_selector(f"#chart[aria-label$='{alarms} are over the threshold']")
