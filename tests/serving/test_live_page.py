"""The live page in a browser."""

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import frame_png

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
LIMIT_MS = 60_000
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    tools = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs Chromium, {CHROMIUM} is absent")
    with tools.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


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
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda asked: foreign(asked.url, url, troubles))
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
    page.click("#events li button")
    page.wait_for_selector("#large[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    page.wait_for_selector("#heat[aria-pressed=false]")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#end")
    page.wait_for_selector("#empty:not([hidden])")
    assert troubles == []


def foreign(asked: str, url: str, troubles: list[str]) -> None:
    """Note a request that leaves the server."""
    if not asked.startswith((url, "blob:", "data:")):
        troubles.append(asked)
