"""What a stored descriptor was made from, and whether that is what is asked for."""

import json
from pathlib import Path
from typing import Any

from tlae.errors import UserError
from tlae.whole_file import read_facts

DESCRIBE_AGAIN = "remove {}.npy and describe again"


def descriptor_names(folder: Path) -> list[str]:
    """Names of the finished descriptors in a store, sorted."""
    return sorted(f.stem for f in folder.glob("*.npy") if f.with_suffix(".json").is_file())


def facts_of(folder: Path, name: str) -> dict[str, Any]:
    """Facts of a finished descriptor, see ``Descriptors``.

    Raises:
        UserError: they cannot be read.
    """
    path = folder / f"{name}.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}); {DESCRIBE_AGAIN.format(name)}") from error
    if not isinstance(facts, dict):
        raise UserError(f"{path} must hold an object; {DESCRIBE_AGAIN.format(name)}")
    return facts


def unfinished_facts(folder: Path, name: str) -> dict[str, Any]:
    """Facts of a descriptor that a killed job left behind; empty where there is none."""
    return read_facts(folder / f"{name}.part" / "job.json")


def is_described(folder: Path, name: str, facts: dict[str, Any], *, overwrite: bool) -> bool:
    """Whether a finished descriptor has these facts already.

    Args:
        folder: the store.
        name: of the descriptor.
        facts: what it must agree with; further facts of the stored one do not count.
        overwrite: whether one with other facts may be replaced.

    Raises:
        UserError: it has other facts, or its store other images.
    """
    for other in descriptor_names(folder):
        stored = facts_of(folder, other)
        if other == name:
            changed = [key for key, value in facts.items() if stored.get(key) != value]
            if not changed:
                return True
            if not overwrite:
                raise UserError(
                    f"{folder} has a descriptor {name} with other {', '.join(changed)}; give "
                    "another name=... or overwrite=true"
                )
        elif "images" in stored and "images" in facts and _images(stored) != _images(facts):
            raise UserError(
                f"{folder} holds descriptors of other images or tiles ({other}); give another "
                "out=..."
            )
    return False


def _images(facts: dict[str, Any]) -> tuple[Any, Any]:
    """What descriptors that were made from footage must agree in to stand side by side."""
    return facts["images"]["fingerprint"], facts["settings"]["tiles_hw"]
