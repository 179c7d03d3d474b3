"""A browser without a window, for the tests of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = (
    os.environ.get("CHROMIUM")
    or shutil.which("chromium")
    or shutil.which("google-chrome")
    or "/usr/bin/chromium"
)


@contextmanager
def chromium(*arguments: str) -> Iterator[Any]:
    """Chromium; the test skips where it, or what drives it, is absent."""
    tools = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs Chromium, {CHROMIUM} is absent")
    with tools.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *arguments]
        )
        yield started
        started.close()


def troubles_of(page: Any, *allowed: str) -> list[str]:
    """What goes wrong on a page from now on, and requests to other places than those allowed."""
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(allowed) else troubles.append(asked.url),
    )
    return troubles


def barriers_of(page: Any) -> list[str]:
    """What axe-core finds that bars people from a page, in light and in dark; [] is right.

    The page's context must have ``bypass_csp`` where the page forbids foreign scripts.
    """
    pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(axe)
        for rule in page.evaluate("axe.run()")["violations"]:
            places = [" ".join(map(str, node["target"])) for node in rule["nodes"]]
            found.append(f"{scheme}: {rule['id']}: {', '.join(places[:3])}")
    return found
