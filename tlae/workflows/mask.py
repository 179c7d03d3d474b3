"""Propose what to ignore: overlaid clocks, and places that change nearly all the time."""

import logging
import math
import shlex
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tlae.config import LEAST_SAMPLES, MaskConfig
from tlae.errors import FootageError, UserError
from tlae.footage.frames import Clip, Frame, Image
from tlae.footage.mask_proposal import Samples, find_clocks, find_restless
from tlae.footage.sources import Footage
from tlae.footage.sources.image_folder import ImageClip, printable
from tlae.footage.zones import YAML_SUFFIXES, Polygon, Zones, read_zones
from tlae.number_words import how_many
from tlae.own_file import require_own
from tlae.progress import progress
from tlae.rendering.heatmap import tint_ignored
from tlae.rendering.marks import draw_zones
from tlae.rendering.overlay import display_hw, resize_picture
from tlae.rendering.png import write_png
from tlae.whole_file import explain_os_errors, write_text
from tlae.workflows.named_footage import open_named

logger = logging.getLogger(__name__)

HEIGHT_PX = 480  # of the samples: digits are readable, memory stays small
UNKNOWN_FRAMES = 3000  # of a video that does not say its length


def propose_mask(cfg: MaskConfig) -> None:
    """Footage in, zones file and preview out."""
    out = Path(cfg.out).expanduser()
    _require_sound(cfg, out)
    samples, middle = _samples(open_named(cfg.footage), cfg.samples)
    size_hw = samples.shape[1], samples.shape[2]
    clocks = _numbered("clock", find_clocks(samples))
    taken = ~Zones(clocks).watched(size_hw)
    restless = _numbered("restless", find_restless(samples, cfg.restless, taken))
    ignore = clocks | restless
    logger.info(
        f"looked at {how_many(len(samples), 'frame')}: {how_many(len(clocks), 'clock')}, "
        f"{how_many(len(restless), 'restless place')}"
    )
    if not ignore:
        logger.info("nothing to ignore, nothing written")
        return
    for name, points in ignore.items():
        share = float((~Zones({name: points}).watched(size_hw)).mean())
        logger.info(f"  {name}: {100 * share:.2g} % of the picture")
    with explain_os_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, _yaml(ignore, cfg.footage.path))
    preview = _preview_of(out)
    write_png(preview, _preview(middle, ignore))
    logger.info(f"wrote {out} and {preview}")
    logger.info(
        f"next:  look at the picture, then `tlae train ... {shlex.quote(f'footage.mask={out}')}`"
    )


def _preview_of(out: Path) -> Path:
    return out.with_name(f"{out.stem}_preview.png")


def _require_sound(cfg: MaskConfig, out: Path) -> None:
    if out.suffix.lower() not in YAML_SUFFIXES:
        raise UserError(f"out must end in .yaml, got {out}")
    preview = _preview_of(out)
    if preview.exists() and not out.exists():
        raise UserError(f"{preview} is not a preview of ours; give another out=...")
    require_own(out, read_zones, "a zones file", "out")
    if out.exists() and not cfg.overwrite:
        raise UserError(f"{out} is there already; give another out=... or overwrite=true")


def _samples(footage: Footage, count: int) -> tuple[Samples, Image]:
    """Grey samples (n, H, W), spread evenly over the footage, and the middle one in full size."""
    lengths = [clip.length or UNKNOWN_FRAMES for clip in footage.clips]
    step = math.ceil(sum(lengths) / count)
    samples: list[Image] = []
    middle: Image | None = None
    offset = 0
    with progress(f"reading {footage.name}", sum(lengths) // step) as advance:
        for clip, length in zip(footage.clips, lengths, strict=True):
            for frame in _every(clip, step, -offset % step):
                advance(1)
                if frame.image is None:
                    continue
                small = _small_grey(frame.image, samples[0].shape if samples else None)
                if small is None:
                    continue
                samples.append(small)
                if middle is None or len(samples) == count // 2:
                    middle = frame.image
            offset += length
    if middle is None or len(samples) < LEAST_SAMPLES:
        raise FootageError(
            f"{footage.spec} must hold at least {LEAST_SAMPLES} readable frames of one shape to "
            f"tell what keeps changing, got {len(samples)}"
        )
    return np.stack(samples), middle


def _every(clip: Clip, step: int, start: int) -> Iterator[Frame]:
    """Every n-th frame; single pictures are opened one by one, a video is read forward."""
    if not isinstance(clip, ImageClip):
        yield from (f for f in clip.frames(start=start) if (f.frame - start) % step == 0)
        return
    for number in range(start, clip.length, step):
        yield next(clip.frames(start=number))


def _small_grey(image: Image, size_hw: tuple[int, ...] | None) -> Image | None:
    """Grey (h, w); None where the shape of the picture is another than ``size_hw``."""
    grey = image[..., 0] if image.shape[-1] == 1 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    share = min(1.0, HEIGHT_PX / grey.shape[0])
    height, width = round(share * grey.shape[0]), round(share * grey.shape[1])
    if size_hw is not None and (height, width) != size_hw:
        return None
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _numbered(name: str, places: list[Polygon]) -> dict[str, Polygon]:
    return {name if i == 1 else f"{name}_{i}": points for i, points in enumerate(places, start=1)}


def _yaml(ignore: dict[str, Polygon], footage: str) -> str:
    lines = [
        f"# Proposed by `tlae mask` for {printable(footage)}",
        "# Corners [x, y] in 0..1 of the picture's width and height.",
        "ignore:",
    ]
    for name, points in ignore.items():
        corners = ", ".join(f"[{x:g}, {y:g}]" for x, y in points)
        lines.append(f"  {name}: [{corners}]")
    return "\n".join(lines) + "\n"


def _preview(image: Image, ignore: dict[str, Polygon]) -> Image:
    size_hw = display_hw((image.shape[0], image.shape[1]))
    watched = Zones(ignore).watched(size_hw).astype(np.float32)
    canvas = tint_ignored(resize_picture(image, size_hw), watched)
    draw_zones(canvas, ignore)
    return canvas
