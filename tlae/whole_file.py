"""Files and folders that appear under their name only when they are whole.

A folder takes the place of an earlier one in three steps: the earlier one is renamed to
``.<name>.earlier``, the new one gets the name, and of the earlier one those files go that we wrote
(their names are given as patterns), while all others move into the new one. Wherever a kill falls,
``settle`` takes back or finishes the swap at the next start.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tlae.errors import UserError

PART = ".part"  # of a file that is being written, and of a job's folder that is not finished
NAME_BYTES = 200  # file systems allow 255; the rest is for the endings of temporary names

logger = logging.getLogger(__name__)


def require_plain_name(name: str, thing: str) -> str:
    """Refuse a name that does not name one folder within another.

    Args:
        name: of a run or result, as the user gave it.
        thing: the setting it comes from, for the message.

    Returns:
        The name.

    Raises:
        UserError: it is empty, leads elsewhere, is too long, or one of our temporary names.
    """
    rule = None
    if not name.strip() or name in (".", "..") or any(sign in name for sign in "/\\"):
        rule = "must name one folder, without / or \\"
    elif any(ord(sign) < 32 for sign in name):
        rule = "must not hold control characters"
    elif len(os.fsencode(name)) > NAME_BYTES:
        rule = f"must have at most {NAME_BYTES} bytes"
    elif name.endswith(PART):
        rule = f"must not end in {PART}, which unfinished jobs are called"
    if rule is not None:
        shown = name if len(name) <= 40 else f"{name[:40]}... ({len(os.fsencode(name))} bytes)"
        raise UserError(f"{thing} {rule}, got {shown!r}; give another {thing}=...")
    return name


def require_path(value: object, thing: str) -> Path:
    """A path as given, with the home folder for "~".

    Raises:
        UserError: it is neither text nor a path, or it is empty.
    """
    if not isinstance(value, str | Path) or value == "":
        raise UserError(f"{thing} must be a path, got {value!r}")
    return Path(value).expanduser()


def require_folder_of_its_own(folder: Path) -> None:
    """Refuse the root of a file system, beside which nothing can be written.

    Raises:
        UserError: it is one.
    """
    if not folder.resolve().name:
        raise UserError(f"{folder} is the root of a file system; give a folder within it")


def part_path(path: Path) -> Path:
    """Temporary name in the same folder, so that renaming needs no copying."""
    return path.with_name(f"{path.name}{PART}")


@contextmanager
def whole_file(path: Path, *, synced: bool = False) -> Iterator[Path]:
    """A temporary name to write to; the file takes its own name when the block ends well.

    Args:
        path: of the file.
        synced: be all or nothing even if the power fails.
    """
    temporary = part_path(path)
    try:
        yield temporary
        if synced:
            with temporary.open("r+b") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, all or nothing."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: object) -> None:
    """Write JSON, all or nothing."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_facts(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is no such file, or a torn one."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


@contextmanager
def whole_folder(path: Path, ours: Sequence[str] = ()) -> Iterator[Path]:
    """A temporary folder to fill; it takes its own name when the block ends well.

    Args:
        path: of the folder; who calls sees to it that no other process makes it meanwhile.
        ours: see ``take_place``.
    """
    settle(path, ours)
    temporary = path.with_name(f".{path.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)  # of a killed process
    try:
        temporary.mkdir(parents=True)
        yield temporary
        take_place(temporary, path, ours)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def take_place(new: Path, path: Path, ours: Sequence[str]) -> None:
    """Give a finished folder its name; see the top of this file.

    Args:
        new: finished folder, beside ``path``.
        path: its name; an earlier folder may be there.
        ours: patterns (``fnmatch``) of the files in the earlier one that ``new`` replaces, relative
            to it. All other files are kept.
    """
    settle(path, ours)
    if path.exists():
        path.replace(_earlier(path))
    new.replace(path)
    settle(path, ours)


def settle(path: Path, ours: Sequence[str]) -> None:
    """Finish or take back a swap during which a process was killed; see ``take_place``.

    Raises:
        UserError: the folder cannot be swapped, because somebody stands in it.
    """
    if not path.name or (path.exists() and path.samefile(os.curdir)):
        raise UserError(
            f"results need a folder of their own, got {path}, where this command runs; name another"
        )
    earlier = _earlier(path)
    if not earlier.is_dir():
        return
    if not path.exists():
        earlier.replace(path)
        return
    for name in remove_ours(earlier, ours):
        target = path / name
        while os.path.lexists(target):  # ours too holds such a file: both are kept
            target = target.with_name(f"{target.name}.earlier")
        target.parent.mkdir(parents=True, exist_ok=True)
        (earlier / name).replace(target)
    remove_ours(earlier, ())


def remove_ours(folder: Path, ours: Sequence[str]) -> list[str]:
    """Delete the files that we wrote, and folders that are empty then.

    Args:
        folder: it goes too, once it is empty.
        ours: patterns of files; see ``take_place``.

    Returns:
        Names of the files that are not ours, relative to ``folder``.
    """
    foreign: list[str] = []
    for root, folders, files in os.walk(folder, topdown=False):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        for path in (Path(root) / name for name in sorted([*files, *links])):
            name = path.relative_to(folder).as_posix()
            if not is_ours(name, ours):
                foreign.append(name)
                continue
            try:
                path.unlink()
            except OSError as error:  # open in another program, on some systems
                logger.warning("%s could not be deleted: %s", path, error.strerror or error)
        with suppress(OSError):  # not empty
            Path(root).rmdir()
    return foreign


def is_ours(name: str, ours: Sequence[str]) -> bool:
    """Whether a file, named relative to its folder, is one that the patterns name."""
    return any(fnmatchcase(name.removesuffix(PART), pattern) for pattern in ours)


def foreign_files(folder: Path, ours: Sequence[str]) -> list[str]:
    """Names of files in a folder, relative to it, that the patterns do not name."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = sorted(path.relative_to(folder).as_posix() for path in found)
    return [name for name in names if not is_ours(name, ours)]


@contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a missing folder into one line for the user.

    Raises:
        UserError: in place of an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{path} must be writable, got: {reason}; free disk space or choose another folder"
        ) from error


@contextmanager
def replace_folder(path: Path, mark: str, ours: Sequence[str]) -> Iterator[Path]:
    """A temporary folder to fill, which then takes the place of an earlier result.

    Args:
        path: missing, empty, or a folder that holds a file called ``mark``.
        mark: the file by which such results are known.
        ours: what such results consist of; see ``take_place``.

    Raises:
        UserError: something else is there.
    """
    settle(path, ours)
    require_replaceable(path, mark)
    with whole_folder(path, ours) as temporary:
        yield temporary


def require_replaceable(path: Path, mark: str) -> None:
    """Refuse a place that ``replace_folder`` refuses; asked before the work, none is lost.

    Raises:
        UserError: something else is there than an earlier result.
    """
    if path.exists() and not (path / mark).is_file() and not is_empty_folder(path):
        raise UserError(f"{path} exists and is not a result of this command; give another out=...")


def is_empty_folder(path: Path) -> bool:
    """Whether a folder is there, and nothing in it."""
    return path.is_dir() and not any(path.iterdir())


def _earlier(path: Path) -> Path:
    return path.with_name(f".{path.name}.earlier")
