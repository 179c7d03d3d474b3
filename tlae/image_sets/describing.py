"""Describe every picture by a row of numbers, or import descriptors of others."""

import logging
import shlex
import time
from pathlib import Path
from typing import Any

from tlae import __version__
from tlae.errors import UserError
from tlae.footage.sources import Footage
from tlae.image_sets.batch_size import measure_batch_size, parse_batch_size
from tlae.image_sets.describe import describe_footage
from tlae.image_sets.described_input import note_random_weights
from tlae.image_sets.descriptor_facts import descriptor_names, is_described, unfinished_facts
from tlae.image_sets.descriptor_import import import_descriptors, read_descriptors, read_names
from tlae.image_sets.descriptor_settings import NEEDS_TORCH, DescriptorSettings
from tlae.image_sets.descriptor_store import Descriptors, DescriptorWriter
from tlae.image_sets.descriptors import Descriptor, build_descriptor
from tlae.image_sets.named_pictures import open_pictures
from tlae.image_sets.settings import DescribeConfig
from tlae.number_words import how_many
from tlae.progress import progress
from tlae.schema import part_of
from tlae.whole_file import explain_os_errors, require_folder_of_its_own

logger = logging.getLogger(__name__)

LARGEST_TILES = 1000  # down or across
REASONS_TOLD = 8


def describe(cfg: DescribeConfig) -> None:
    """Pictures in, descriptors out."""
    folder = Path(cfg.out).expanduser()
    require_folder_of_its_own(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"out must be a folder, got the file {folder}; give another")
    if (cfg.images is None) == (cfg.from_file is None):
        raise UserError("give images=... to describe, or from_file=... to import; one of them")
    with explain_os_errors(folder):
        if cfg.from_file is not None:
            _import(cfg, folder)
        else:
            _describe(cfg, folder)


def _describe(cfg: DescribeConfig, folder: Path) -> None:
    started = time.monotonic()
    settings = _settings(cfg)
    tiles_hw = _tiles(cfg)
    name = cfg.name or settings.descriptor
    batch_size = parse_batch_size(cfg.batch_size)
    footage = open_pictures(str(cfg.images), "images", cfg.time_pattern, cfg.exclude)
    descriptor, device = _build(settings, cfg.device)
    facts = _facts(settings, descriptor, footage, tiles_hw) | {"dtype": cfg.dtype}
    if is_described(folder, name, facts, overwrite=cfg.overwrite):
        logger.info(f"{name} of these images is in {folder} already; nothing to do")
        return
    if batch_size is None:
        before = unfinished_facts(folder, name).get("batch_size")  # so that the bytes agree
        batch_size = before or measure_batch_size(descriptor, device)
    facts |= {"batch_size": batch_size, "device": device}
    note_random_weights(settings)
    lengths = [clip.length for clip in footage.clips]
    total = sum(n for n in lengths if n is not None) if None not in lengths else None
    with DescriptorWriter(folder, name, descriptor.dimensions, facts, cfg.dtype) as writer:
        done = writer.pictures
        if done:
            logger.info(f"continuing after {how_many(done, 'image')}")
        with progress(f"describing {footage.name}", total, "images") as advance:
            advance(done)
            describe_footage(footage, descriptor, writer, batch_size, tiles_hw, advance)
        pictures = writer.pictures
        described = writer.finish()
    seconds = time.monotonic() - started
    fresh = f", {(pictures - done) / seconds:,.0f}/s" if pictures > done else ""
    _report(described, f"{how_many(pictures, 'image')} read{_cut(tiles_hw)}", seconds, fresh)


def _settings(cfg: DescribeConfig) -> DescriptorSettings:
    return part_of(cfg, DescriptorSettings)


def _build(settings: DescriptorSettings, device: str) -> tuple[Descriptor, str]:
    """The descriptor, and the name of the device it runs on."""
    if settings.descriptor not in NEEDS_TORCH:
        return build_descriptor(settings), "cpu"
    from tlae.device import pick_device

    chosen = pick_device(device)
    return build_descriptor(settings, chosen), str(chosen)


def _tiles(cfg: DescribeConfig) -> tuple[int, int] | None:
    tiles = (cfg.tiles, cfg.tiles) if cfg.tiles is not None else None
    if cfg.tiles_hw is not None:
        if len(cfg.tiles_hw) != 2:
            raise UserError(f"tiles_hw must be [down,across], got {list(cfg.tiles_hw)}; give two")
        tiles = (cfg.tiles_hw[0], cfg.tiles_hw[1])
    if tiles and not (min(tiles) >= 1 and max(tiles) <= LARGEST_TILES):
        raise UserError(f"tiles must be within 1..{LARGEST_TILES} each way, got {list(tiles)}")
    return tiles


def _facts(
    settings: DescriptorSettings,
    descriptor: Descriptor,
    footage: Footage,
    tiles_hw: tuple[int, int] | None,
) -> dict[str, Any]:
    return {
        "descriptor": settings.descriptor,
        "settings": settings.relevant() | {"tiles_hw": list(tiles_hw) if tiles_hw else None},
        "images": {
            "path": str(Path(footage.spec).expanduser().absolute()),
            "fingerprint": footage.fingerprint(),
        },
        **descriptor.facts,
    }


def _cut(tiles_hw: tuple[int, int] | None) -> str:
    return f" in {tiles_hw[0]} x {tiles_hw[1]} tiles" if tiles_hw else ""


def _report(described: Descriptors, work: str, seconds: float, rate: str = "") -> None:
    facts = described.facts
    things = "tiles" if facts["settings"].get("tiles_hw") else "images"
    logger.info(
        f"{described.name}: {facts['dimensions']} numbers ({facts['dtype']}) for each of "
        f"{len(described.ids):,} {things}; {work} in {seconds:.1f} s{rate}"
    )
    reasons = described.left_out()
    for reason, count in list(reasons.items())[:REASONS_TOLD]:
        logger.info(f"  left out: {count:,} x {reason}")
    if len(reasons) > REASONS_TOLD:
        logger.info(f"  left out for {len(reasons) - REASONS_TOLD} more reasons: see ids.parquet")
    logger.info(f"results: {described.folder}")
    several = len(descriptor_names(described.folder)) > 1
    which = f" descriptor={described.name}" if several else ""
    logger.info(f"next:    tlae cluster descriptors={shlex.quote(str(described.folder))}{which}")


def _import(cfg: DescribeConfig, folder: Path) -> None:
    started = time.monotonic()
    path = Path(str(cfg.from_file)).expanduser()
    imported = read_descriptors(path, cfg.id_column)
    names = read_names(Path(cfg.ids).expanduser(), cfg.id_column) if cfg.ids else None
    name = cfg.name or path.stem
    written = path.stat()
    facts: dict[str, Any] = {
        "descriptor": "import",
        "weights": None,
        "settings": {},
        "from_file": {"path": str(path.absolute()), "bytes": written.st_size, "ids": cfg.ids},
        "dtype": cfg.dtype,
        "versions": {"tlae": __version__},
    }
    if is_described(folder, name, facts, overwrite=cfg.overwrite):
        logger.info(f"{name} is in {folder} already; nothing to do")
        return
    rows, dimensions = imported.values.shape
    with DescriptorWriter(folder, name, dimensions, facts, cfg.dtype) as writer:
        with progress(f"importing {path.name}", rows, "rows") as advance:
            import_descriptors(imported, names, writer, advance)
        described = writer.finish()
    _report(described, f"{how_many(rows, 'row')} imported", time.monotonic() - started)
