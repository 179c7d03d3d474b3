"""HTML pages that open from disk: one file each, without network, with the pictures within."""

import base64
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.number_words import how_many
from tlae.palette import page_style

TO_BGR = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}  # by number of channels
QUALITIES = (82, 70, 55)  # of WebP, 0..100, tried before a picture is made smaller
SHRINK = 0.75  # of the sides, then tried again
SMALLEST_PX = 48  # long side below which a picture shows nothing


def fill_template(package: str, name: str, values: Mapping[str, object]) -> str:
    """Fill a Jinja template that lies in a package; missing values are errors.

    What UTF-8 cannot hold, such as file names of a foreign encoding, is replaced by "?".

    ``{{ base_style }}`` is the style that all pages share, ``{{ asset("file") }}`` the text of
    another file of the package; neither is escaped, everything else is.

    Args:
        package: dotted name of the package.
        name: file name of the template.
        values: what it may use.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["base_style"] = Markup(page_style() + _text("tlae", "html_page.css"))
    environment.globals["asset"] = lambda file: Markup(_text(package, file))
    environment.filters["how_many"] = how_many
    environment.filters["json"] = lambda content: Markup(json_in_page(content))
    page = environment.get_template(name).render(values)
    return page.encode("utf-8", "replace").decode("utf-8")


def json_in_page(content: Any) -> str:
    """JSON that can stand in a ``<script>`` element, whatever names it holds.

    Raises:
        ValueError: a number in it is not finite.
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def array_text(values: npt.NDArray[Any]) -> str:
    """Base64 of an array's bytes, little-endian, for a typed array of the page's script."""
    return base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode()


def picture_uri(image: npt.NDArray[np.uint8], most_bytes: int | None = None) -> str:
    """Picture as WebP within the page.

    Args:
        image: RGB (H, W, 3), RGBA (H, W, 4) or grey (H, W, 1).
        most_bytes: the text is made no longer than this, at the cost of quality, then of size, as
            long as its long side keeps ``SMALLEST_PX``; None: full size, best quality.
    """
    channels = image.shape[-1]
    bgr = cv2.cvtColor(image, TO_BGR[channels]) if channels in TO_BGR else image
    while True:
        for quality in QUALITIES:
            _, encoded = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, quality])
            text = "data:image/webp;base64," + base64.b64encode(encoded.tobytes()).decode()
            if most_bytes is None or len(text) <= most_bytes:
                return text
        height, width = (max(1, round(SHRINK * side)) for side in bgr.shape[:2])
        if max(height, width) < SMALLEST_PX:
            return text
        bgr = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)


def _text(package: str, file: str) -> str:
    return resources.files(package).joinpath(file).read_text(encoding="utf-8")
