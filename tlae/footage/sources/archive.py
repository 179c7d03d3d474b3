"""A zip file read in place: nothing is unpacked to disk, and nothing it says is trusted."""

import io
import logging
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from tlae.errors import FootageError
from tlae.footage.images import Unreadable
from tlae.footage.sources.image_folder import Read, printable
from tlae.footage.sources.listing import Tree, has_footage_suffix, is_hidden, is_left_out, join
from tlae.number_words import how_many

LARGEST_PICTURE_BYTES = 2**28  # a member that claims to hold more is not read into memory

_MEMBER_ERRORS = (
    zipfile.BadZipFile,  # wrong checksum
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    KeyError,  # gone since it was listed
    RuntimeError,  # encrypted, or a compression that Python does not know
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArchiveFiles:
    """Members of a zip file.

    Attributes:
        archive: the zip file.
        members: checksum and size in bytes of every member that is footage.
    """

    archive: Path
    members: Mapping[str, tuple[int, int]] = field(repr=False)

    def shown(self, name: str) -> str:
        """``archive.zip::member``."""
        return printable(f"{self.archive}::{name}")

    def facts(self, folder: str, names: Iterable[str]) -> Iterator[str]:
        """Name, checksum, size."""
        for name in names:
            path = join(folder, name)
            yield printable("{} {:08x} {}".format(path, *self.members[path]))

    def age_s(self, name: str) -> float:
        """Not known: an archive that can be listed is whole."""
        return float("inf")

    @contextmanager
    def reader(self) -> Iterator[Read]:
        """Keeps the archive open."""
        with _opened(self.archive) as archive:
            yield partial(self._read, archive)

    @contextmanager
    def stream(self, name: str) -> Iterator[io.RawIOBase]:
        """A seekable stream; compressed members are read again from their start to go back."""
        with _opened(self.archive) as archive:
            try:
                member = archive.open(name)
            except _MEMBER_ERRORS as error:
                raise Unreadable(_reason(error)) from error
            with member:
                stream = _MemberStream(member, name, self.members[name][1])
                yield stream
                if stream.damaged:
                    logger.warning(
                        "%s is damaged in the archive, read up to there", self.shown(name)
                    )

    def _read(self, archive: zipfile.ZipFile, name: str) -> bytes:
        if self.members[name][1] > LARGEST_PICTURE_BYTES:
            raise Unreadable("too large in the archive")
        try:
            return archive.read(name)
        except _MEMBER_ERRORS as error:
            raise Unreadable(_reason(error)) from error


class _MemberStream(io.RawIOBase):
    """Member that ends where it is damaged, and moves only when read: going to the end is free."""

    def __init__(self, member: IO[bytes], name: str, size: int) -> None:
        self.member, self.name, self.size = member, name, size
        self.at = 0
        self.damaged = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = (0, self.at, self.size)[whence]
        self.at = min(max(origin + offset, 0), self.size)
        return self.at

    def read(self, count: int = -1) -> bytes:
        try:
            if self.member.tell() != self.at:
                self.member.seek(self.at)
            data = self.member.read(count)
        except _MEMBER_ERRORS:
            self.damaged = True
            return b""
        self.at += len(data)
        return data


def list_archive(archive: Path) -> tuple[Tree, ArchiveFiles]:
    """List the footage in a zip file.

    Members whose names lead outside the archive, and links, are logged and left out.

    Raises:
        FootageError: it is not a readable zip file.
    """
    tree: Tree = {}
    members: dict[str, tuple[int, int]] = {}
    refused: list[str] = []
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise FootageError(
            f"{archive} must be a readable zip file, got: {error}; copy or pack it again"
        ) from error
    for entry in entries:
        folder, _, name = entry.filename.rpartition("/")
        if entry.is_dir() or not has_footage_suffix(name):
            continue
        if _leads_outside(entry):
            refused.append(entry.filename)
        elif not is_hidden(name) and not is_left_out(folder):
            if entry.filename not in members:
                tree.setdefault(folder, []).append(name)
            members[entry.filename] = (entry.CRC, entry.file_size)  # of equal names the last counts
    if refused:
        logger.warning(
            "%s: %s left out, for a name that leads outside the archive or is a link: %s",
            *(archive, how_many(len(refused), "member"), ", ".join(map(repr, refused[:3]))),
        )
    return tree, ArchiveFiles(archive, members)


def own_folder(tree: Tree, archive: Path) -> str:
    """The single top folder that bears the archive's own name, as packing a folder leaves it."""
    tops = {folder.partition("/")[0] for folder in tree}
    return archive.stem if tops == {archive.stem} else ""


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError) as error:
        raise FootageError(
            f"{archive} must stay as it was when it was opened, got: {error}; start again"
        ) from error
    with opened:
        yield opened


def _leads_outside(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename
    absolute = name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) is not None
    return (
        absolute
        or ".." in re.split(r"[/\\]", name)
        or stat.S_ISLNK(entry.external_attr >> 16)  # Unix mode, where there is one
    )


def _reason(error: BaseException) -> str:
    if "password" in str(error):
        return "encrypted in the archive"
    if isinstance(error, NotImplementedError):
        return "unknown compression in the archive"
    return "damaged in the archive"
