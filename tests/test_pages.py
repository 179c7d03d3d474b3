"""Pages of image sets that open from disk: on a phone, in light and dark, for everybody."""

from pathlib import Path

import numpy as np

from tests.browser import barriers_of, chromium, troubles_of
from tests.small_descriptors import GROUP, write_labels, write_store
from tlae.cli import main
from tlae.image_sets.scores_page import ShownPicture, VerdictGallery, scores_page

DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="


def test_pages_of_image_sets_bar_nobody(tmp_path: Path) -> None:
    described = write_store(tmp_path)
    labels = write_labels(tmp_path / "labels.parquet", described, [0] * GROUP + [-1] * GROUP)
    words = [f"descriptors={tmp_path}/photos.desc", f"labels={labels}"]
    assert main(["explore", *words, f"export={tmp_path}/map.html"]) == 0
    pictures = [ShownPicture(DOT, "a.jpg", f"{n}.5  a.jpg", n > 1) for n in range(4)]
    sets = {"held out": np.linspace(0, 1, 30), "new": np.linspace(0, 3, 30)}
    gallery = VerdictGallery("Near the threshold", "On both sides.", pictures)
    page = scores_page("t", "2 of 4 are unusual", "By x.", sets, 1.0, {"k": 3}, [gallery])
    (tmp_path / "verdicts.html").write_text(page, encoding="utf-8")
    with chromium("--enable-unsafe-swiftshader", "--use-angle=swiftshader") as browser:
        for name in ("map.html", "verdicts.html"):
            opened = browser.new_page(viewport={"width": 390, "height": 844}, bypass_csp=True)
            troubles = troubles_of(opened, "file:", "data:", "blob:")
            opened.goto((tmp_path / name).as_uri())
            assert opened.evaluate("document.documentElement.scrollWidth") <= 390
            assert barriers_of(opened) == [], name
            assert troubles == []
            opened.close()
