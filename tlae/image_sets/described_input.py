"""Pictures to learn from or to judge: described now, or taken from a store."""

import logging
import shlex
from pathlib import Path
from typing import Any

from tlae.errors import UserError
from tlae.footage.sources import Footage
from tlae.image_sets.describe_now import Described, describe_now, in_memory
from tlae.image_sets.descriptor_facts import descriptor_names
from tlae.image_sets.descriptor_settings import DescriptorSettings
from tlae.image_sets.descriptor_store import IDS, open_descriptors
from tlae.number_words import how_many
from tlae.schema import part_of

logger = logging.getLogger(__name__)


def descriptor_settings(cfg: Any) -> DescriptorSettings:
    """The part of a command's settings that says how pictures are described."""
    return part_of(cfg, DescriptorSettings)


def described_input(
    images: str | Footage | None,
    descriptors: str | None,
    either: str | None,
    settings: DescriptorSettings,
    name: str | None = None,
    *,
    quadrants: bool = False,
    setting: str = "images",
) -> Described:
    """Finite descriptors, wherever they come from.

    Args:
        images: pictures to describe now, footage or what ``open_footage`` takes.
        descriptors: or a store.
        either: or one of the two, a store where it looks like one.
        settings: how pictures are described.
        name: of the descriptor in the store; None: that of ``settings`` where it was given or is
            there, else the only one.
        quadrants: describe the four quarters of each picture.
        setting: of the command, that gave the pictures.

    Raises:
        UserError: none or several are given, or nothing usable is there.
    """
    if sum(one is not None for one in (images, descriptors, either)) != 1:
        raise UserError("give images=... to describe, or descriptors=... of a store; one of them")
    store = descriptors or (either if either and _is_store(either) else None)
    if store is None:
        pictures = images if images is not None else str(either)
        return describe_now(pictures, settings, quadrants=quadrants, setting=setting)
    if quadrants:
        raise UserError(
            f"quadrants=true describes pictures itself, got the descriptors {store}; give pictures"
        )
    held = descriptor_names(Path(store).expanduser())
    given = settings.descriptor != DescriptorSettings.descriptor
    if name is None and (given or settings.descriptor in held):
        name = settings.descriptor
    return in_memory(open_descriptors(store, name))


def next_step(kind: str, model: Path, described: Described) -> str:
    """The command that comes after a fit to ``described``, see ``judge_file.KINDS``."""
    command = f"tlae {kind} score model_file={shlex.quote(str(model))}"
    if described.settings is not None:
        return f"{command} images=..."
    stored = shlex.quote(str(described.store))
    return f"{command} descriptors={stored} descriptor={shlex.quote(described.facts['name'])}"


def note_random_weights(settings: DescriptorSettings) -> None:
    """Say that a net has learnt nothing, where it is so."""
    if settings.has_random_weights:
        logger.info(
            f"note: {settings.descriptor} has random weights (seed {settings.seed}), it has seen "
            "no picture yet; weights=FILE or weights=DEFAULT download=true gives it learnt ones"
        )


def report_left_out(described: Described) -> None:
    """Say how many pictures do not count."""
    if described.left_out:
        logger.info(
            f"left out: {how_many(described.left_out, 'picture')}, unreadable or not finite"
        )


def _is_store(path: str) -> bool:
    return (Path(path).expanduser() / IDS).is_file()
