"""Which files of a folder are labels."""

from collections.abc import Collection
from pathlib import Path

from tlae.footage.sources.listing import is_hidden, natural_key


def files_of(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Files with one of the suffixes, in natural order; hidden files and backups do not count."""
    files = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes and not is_hidden(path.name)
    ]
    return sorted(files, key=lambda path: natural_key(path.name))
