"""Pages on scores of pictures: the verdict first, then the pictures near the threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tlae.errors import UserError
from tlae.html_page import fill_template, picture_uri
from tlae.image_sets.charts import histogram_chart
from tlae.image_sets.estimators import Scores
from tlae.image_sets.item_pictures import item_text
from tlae.image_sets.pictures import read_pictures
from tlae.image_sets.verdicts import OUTLIER
from tlae.palette import themed
from tlae.rendering.overlay import resize_picture

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99, 1.0)  # shares of the held-out pictures kept
BORDERLINE = 6  # pictures on each side of the threshold
STRONGEST = 6
THUMBNAIL_PX = 240  # longer side
THUMBNAIL_BYTES = 24_000


@dataclass(frozen=True)
class ShownPicture:
    """A picture on a page.

    Attributes:
        uri: the picture itself.
        name: of its file.
        caption: below it.
        unusual: on the far side of the threshold.
    """

    uri: str
    name: str
    caption: str
    unusual: bool


@dataclass(frozen=True)
class VerdictGallery:
    """Pictures below one headline.

    Attributes:
        title: the headline.
        note: what they have in common.
        pictures: none: the gallery is left out.
    """

    title: str
    note: str
    pictures: list[ShownPicture] = field(default_factory=list)


def scores_page(
    title: str,
    verdict: str,
    lead: str,
    sets: Mapping[str, Scores],
    threshold: float,
    facts: Mapping[str, object],
    galleries: Sequence[VerdictGallery] = (),
    *,
    levels: bool = True,
) -> str:
    """One HTML page without scripts.

    Args:
        title: of the window.
        verdict: the one sentence to remember.
        lead: what the sets and the threshold are.
        sets: name -> finite scores; the first holds the held-out normal pictures.
        threshold: the chosen one.
        facts: shown at the end, folded.
        galleries: pictures.
        levels: with a table of other thresholds.
    """
    from markupsafe import Markup

    held_out = next(iter(sets.values()))
    others = {float(np.quantile(held_out, level, method="higher")) for level in LEVELS}
    chart, cut = histogram_chart(sets, threshold)
    about = "The dashed line is the threshold; higher scores are more unusual."
    if cut:
        more = "score is" if cut == 1 else "scores are"
        about += f" {cut:,} still higher {more} counted in the last bar."
    values = {
        "title": title,
        "verdict": verdict,
        "lead": lead,
        "chart": Markup(themed(chart)),
        "about_chart": about,
        "heads": list(sets),
        "rows": [
            {
                "level": f"{level:.4g}",
                "chosen": level == threshold,
                "cells": [f"{float((scores > level).mean()):.1%}" for scores in sets.values()],
            }
            for level in sorted({*others, threshold})
            if levels
        ],
        "facts": {name: _words(value) for name, value in facts.items()},
        "galleries": list(galleries),
    }
    return fill_template("tlae.image_sets", "scores_page.html.jinja", values)


def galleries_of(table: pd.DataFrame, images: str | None, threshold: float) -> list[VerdictGallery]:
    """The most unusual pictures, and those on both sides of the threshold.

    Args:
        table: path, clip, frame, score, verdict of pictures.
        images: see ``read_pictures``; where nothing can be read, no gallery is filled.
        threshold: of the scores.
    """
    ordered = table.reset_index(drop=True).sort_values("score", kind="stable")
    above, below = ordered[ordered["score"] > threshold], ordered[ordered["score"] <= threshold]
    border = pd.concat([below.tail(BORDERLINE), above.head(BORDERLINE)])
    strongest = above.tail(STRONGEST)[::-1]
    strongest = strongest[~strongest.index.isin(border.index)]
    chosen = pd.concat([strongest, border])
    shown: dict[int, ShownPicture] = {}
    try:
        for position, image in read_pictures(images, chosen):
            row = chosen.iloc[position]
            scale = THUMBNAIL_PX / max(image.shape[:2])
            height, width = (max(1, round(scale * side)) for side in image.shape[:2])
            small = resize_picture(image, (height, width))
            called = item_text(row["path"], row["frame"])
            name = called.replace("\\", "/").rpartition("/")[2]
            caption = f"{row['score']:.4g}  {name}"
            if reason := str(row.get("reason") or ""):
                caption += f" ({reason})"
            shown[int(str(chosen.index[position]))] = ShownPicture(
                picture_uri(small, THUMBNAIL_BYTES), name, caption, int(row["verdict"]) == OUTLIER
            )
    except UserError:  # the pictures moved: the rest of the page stands
        return []

    def filled(rows: pd.DataFrame) -> list[ShownPicture]:
        return [shown[index] for index in rows.index if index in shown]

    return [
        VerdictGallery("Most unusual", "The highest scores.", filled(strongest)),
        VerdictGallery(
            "Near the threshold",
            f"The last pictures below {threshold:.4g} and the first above it (dashed frame): look "
            "here to see whether the threshold suits you.",
            filled(border),
        ),
    ]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(one)}" for name, one in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
