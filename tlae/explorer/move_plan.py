"""Plans for moving files into a folder per cluster: written for the user to run, never run here."""

import csv
import io
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePath

from tlae.image_sets.item_pictures import ARCHIVE_MARK
from tlae.number_words import how_many


@dataclass(frozen=True)
class MovePlan:
    """Which file goes where.

    Attributes:
        moves: (source, target), no target twice, no source twice.
        unpacked: (archive, member, target): copied out of a zip file, which stays as it is.
        left_out: paths that are no files of their own, with the reason.
    """

    moves: list[tuple[str, str]]
    left_out: list[tuple[str, str]]
    unpacked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files come to lie in the target."""
        return len(self.moves) + len(self.unpacked)

    def as_csv(self) -> str:
        """Table of source and target."""
        inside = [(f"{one}{ARCHIVE_MARK}{member}", to) for one, member, to in self.unpacked]
        return _csv(("source", "target"), self.moves + inside)

    def as_script(self) -> str:
        """POSIX shell script that moves without ever overwriting; zip files need ``unzip``."""
        targets = [target for _, target in self.moves] + [to for *_, to in self.unpacked]
        folders = sorted({str(PurePath(target).parent) for target in targets})
        lines = [
            "#!/bin/sh",
            f"# Moves {how_many(len(self.moves), 'file')} and unpacks {len(self.unpacked)}; look "
            "through it, "
            "then run: sh move-plan.sh",
            "set -eu",
            *(f"mkdir -p -- {shlex.quote(folder)}" for folder in folders),
            *(f"mv -n -- {shlex.quote(a)} {shlex.quote(b)}" for a, b in self.moves),
            *(_unpacking(*one) for one in self.unpacked),
            *(f"# left out ({why}): {_on_one_line(path)}" for path, why in self.left_out),
        ]
        return "\n".join(lines) + "\n"


def plan_moves(
    paths: Iterable[str], folders: Iterable[str], target: str, is_file: Callable[[str], bool]
) -> MovePlan:
    """Plan a folder per cluster below ``target``; equal file names get a number.

    Args:
        paths: of the items.
        folders: name of each item's cluster.
        target: folder that the others come to lie in.
        is_file: whether a path is a file of its own.
    """
    moves: list[tuple[str, str]] = []
    left_out: list[tuple[str, str]] = []
    unpacked: list[tuple[str, str, str]] = []
    sources: set[str] = set()
    taken: set[str] = set()
    for path, folder in zip(paths, folders, strict=True):
        archive, mark, member = path.partition(f".zip{ARCHIVE_MARK}")
        if path in sources:
            left_out.append((path, "planned already"))
        elif mark and is_file(f"{archive}.zip"):
            sources.add(path)
            to = _free(PurePath(target) / safe_name(folder), member, taken)
            unpacked.append((f"{archive}.zip", member, to))
        elif not is_file(path):
            left_out.append((path, "no such file"))
        else:
            sources.add(path)
            moves.append((path, _free(PurePath(target) / safe_name(folder), path, taken)))
    return MovePlan(moves, left_out, unpacked)


def file_table(rows: Iterable[tuple[object, ...]]) -> str:
    """CSV of path, time and cluster of each item."""
    return _csv(("path", "clip", "frame", "taken_at", "label", "cluster"), rows)


def safe_name(text: str) -> str:
    """A cluster's name as the name of a folder."""
    return re.sub(r"[^\w.-]+", "_", text).strip("._") or "cluster"


def _unpacking(archive: str, member: str, target: str) -> str:
    """A line that copies one member, whose name unzip takes for a pattern, to a file of its own."""
    name = re.sub(r"([\\*?\[\]])", r"\\\1", member)
    to = shlex.quote(target)
    return f"[ -e {to} ] || unzip -p {shlex.quote(archive)} {shlex.quote(name)} > {to}"


def _free(folder: PurePath, path: str, taken: set[str]) -> str:
    name = PurePath(path)
    target, number = str(folder / name.name), 2
    while target in taken:
        target = str(folder / f"{name.stem}-{number}{name.suffix}")
        number += 1
    taken.add(target)
    return target


def _csv(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _on_one_line(path: str) -> str:
    return path.replace("\n", "\\n").replace("\r", "\\r")
