"""Colours that can be read, and are written once."""

import re
from itertools import product
from pathlib import Path

import pytest

import tlae
from tlae.palette import GROUNDS, LINES, PAGE, TEXTS, on_light, page_style, themed

LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3 (AA) of small text


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))


@pytest.mark.parametrize(("text", "ground"), list(product(TEXTS, GROUNDS)))
@pytest.mark.parametrize("side", [0, 1])
def test_small_text_reaches_the_contrast_of_aa(text: str, ground: str, side: int) -> None:
    low, high = sorted((luminance(TEXTS[text][side]), luminance(GROUNDS[ground][side])))
    assert (high + 0.05) / (low + 0.05) >= LEAST_CONTRAST


def test_black_on_white_has_the_highest_contrast() -> None:
    assert (luminance("#ffffff") + 0.05) / (luminance("#000000") + 0.05) == pytest.approx(21)


def test_a_chart_in_a_page_takes_the_colours_of_the_page() -> None:
    assert len({light for light, _ in PAGE.values()}) == len(PAGE)  # each tells its name
    line = f'<path style="stroke: {on_light("curve-1")}"/>'
    assert themed(line) == '<path style="stroke: var(--curve-1)"/>'
    assert all(f"--{name}: {dark};" in page_style() for name, (_, dark) in PAGE.items())


@pytest.mark.parametrize("page", ["serving/page/style.css", "explorer/page/style.css"])
def test_pages_with_a_switch_of_theme_have_the_same_colours(page: str) -> None:
    style = (Path(tlae.__file__).parent / page).read_text(encoding="utf-8")
    written = dict(re.findall(r"--([\w-]+): light-dark\(([^)]+)\)", style))
    shared = {name for name in TEXTS | LINES if name in written}
    assert {"ink", "faint", "line", "accent"} <= shared
    for name in shared:
        assert written[name] == ", ".join(PAGE[name]), name
