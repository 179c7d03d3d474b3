"""Time to the first picture and to the answer of a lasso, in headless Chromium.

python scripts/explorer_speed.py [--points 100000] [--pictures FOLDER]

Makes descriptors of so many points (512 numbers each), serves them, loads the page, draws a lasso,
clusters what it holds and exports the page; prints how long each took. With --pictures FOLDER it
leaves a screenshot of each step there. Needs playwright and Chromium (CHROMIUM=path, else
/usr/bin/chromium).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tlae.image_sets.descriptor_store import DescriptorWriter

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
DIMENSIONS, GROUPS, CHUNK = 512, 12, 10_000
LIMIT_MS = 120_000


def make_descriptors(folder: Path, points: int) -> None:
    """Points in ``GROUPS`` overlapping groups; the pictures themselves are not there."""
    rng = np.random.default_rng(0)
    centres = 0.35 * rng.normal(size=(GROUPS, DIMENSIONS))
    ids = pd.DataFrame(
        {
            "path": [f"/pictures/{number:06d}.jpg" for number in range(points)],
            "clip": "pictures",
            "frame": np.arange(points),
            "taken_at": pd.date_range("2026-05-01", periods=points, freq="90s"),
            "state": "ok",
        }
    )
    with DescriptorWriter(folder, "synthetic", DIMENSIONS, {}, "float16") as writer:
        for start in range(0, points, CHUNK):
            items = ids.iloc[start : start + CHUNK]
            centre = centres[rng.integers(0, GROUPS, len(items))]
            noise = rng.normal(size=(len(items), DIMENSIONS))
            writer.append(items, (centre + noise).astype(np.float32))
        writer.finish()


def measure(page: "Page", url: str, picture: Callable[[str], None]) -> list[tuple[str, float]]:
    """Walk through the page as a user does.

    Returns:
        Step and seconds.
    """
    page.goto(url)
    page.wait_for_selector("body[data-first-picture-ms]")
    steps = [("first picture", _told_s(page, "firstPictureMs"))]
    picture("loaded")
    lasso(page)
    page.wait_for_selector("body[data-lasso-ms]")
    steps.append(("lasso answered", _told_s(page, "lassoMs")))
    page.wait_for_selector("#list li")
    picture("lasso")
    steps.append(("one frame while zooming (median)", _frame_s(page)))
    started = time.monotonic()
    page.select_option("#method", "minibatch_kmeans")
    page.fill("#parameters [name=k]", "4")
    page.click("#go")
    page.wait_for_selector("#undo:not([disabled])")
    page.wait_for_selector("#clusters li:nth-child(2)")
    steps.append(("selection clustered again", time.monotonic() - started))
    picture("clustered")
    started = time.monotonic()
    with page.expect_download() as waiting:
        page.click("#export")
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "page.html"
        waiting.value.save_as(exported)
        page.goto(exported.as_uri())
        page.wait_for_selector("#clusters li")
    steps.append(("exported and opened from disk", time.monotonic() - started))
    picture("exported")
    return steps


def walk(url: str, pictures: Path | None) -> list[tuple[str, float]]:
    """``measure`` in a browser; screenshots go to ``pictures``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--enable-unsafe-swiftshader",
                "--use-gl=angle",
                "--use-angle=swiftshader",
            ],
        )
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.set_default_timeout(LIMIT_MS)

        def picture(name: str) -> None:
            if pictures is not None:
                pictures.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=pictures / f"{name}.png")

        steps = measure(page, url, picture)
        browser.close()
    return steps


def lasso(page: "Page", share: float = 0.25) -> None:
    """Draw round the middle of the map, with Shift held."""
    box = page.locator("#overlay").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    radius = share * min(box["width"], box["height"])
    corners = [
        (middle[0] + radius * np.cos(a), middle[1] + radius * np.sin(a))
        for a in np.linspace(0, 2 * np.pi, 40)
    ]
    page.keyboard.down("Shift")
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner)
    page.mouse.up()
    page.keyboard.up("Shift")


def _frame_s(page: "Page", frames: int = 40) -> float:
    """Median time between frames while the wheel turns back and forth."""
    times = page.evaluate(
        """async (frames) => {
          const map = document.getElementById('overlay'), times = [];
          for (let i = 0, last = performance.now(); i < frames; i++) {
            const deltaY = i % 20 < 10 ? -60 : 60;
            map.dispatchEvent(new WheelEvent('wheel', {deltaY, clientX: 600, clientY: 400}));
            await new Promise(requestAnimationFrame);
            const now = performance.now(); times.push(now - last); last = now;
          }
          return times;
        }""",
        frames,
    )
    return float(np.median(times)) / 1000


def _told_s(page: "Page", name: str) -> float:
    return float(page.evaluate(f"document.body.dataset.{name}")) / 1000


def main() -> None:
    """Make, serve, walk, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--pictures", type=Path, help="folder for a screenshot of each step")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "synthetic.desc"
        make_descriptors(folder, asked.points)
        command = [sys.executable, "-m", "tlae", "explore", f"descriptors={folder}", "port=0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                url = next(line.split()[1] for line in server.stdout if line.startswith("page:"))
                steps = walk(url, asked.pictures)
            finally:
                server.terminate()
    print(f"{asked.points:,} points x {DIMENSIONS}, software rendering")
    for step, seconds in steps:
        print(f"  {step:<32}{seconds:8.3f} s")


if __name__ == "__main__":
    main()
