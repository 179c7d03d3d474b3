"""The source of frames that the settings name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tlae.errors import UserError
from tlae.watching.address import Address, Kind
from tlae.watching.arrival import Source, Wanted
from tlae.watching.files import FileReader, film_interval_s
from tlae.watching.folder import FileSource, FolderSource
from tlae.watching.polled import PolledSource
from tlae.watching.recording import Recorder
from tlae.watching.settings import CameraConfig
from tlae.watching.store import Store
from tlae.watching.stream import StreamSource


def source_of(
    address: Address,
    cfg: CameraConfig,
    store: Store,
    wanted: Wanted,
    recorder: Recorder | None,
) -> Source:
    """The source of an address, not yet opened.

    Raises:
        UserError: clips are wanted of what is no stream.
    """
    if address.kind in (Kind.STREAM, Kind.DEVICE):
        return StreamSource(address, cfg, wanted, recorder)
    if recorder is not None:
        raise UserError(
            f"clip.record needs a stream, got {address.shown}, a {address.kind}; leave it out"
        )
    if address.kind == Kind.PICTURE:
        return PolledSource(address, cfg, wanted)
    path = Path(address.path)
    root = path if address.kind == Kind.FOLDER else path.parent
    reader = FileReader(root, cfg, wanted)
    if address.kind == Kind.FILE:
        return FileSource(path, reader, store.frames_done, fast=cfg.fast)
    leave_out = wanted.is_new and not cfg.backlog
    return FolderSource(root, cfg, reader, store.frames_done, leave_out=leave_out)


def interval_of(address: Address, cfg: CameraConfig, learnt_s: float) -> float:
    """Time between frames that events are reckoned with, before any has come [s]."""
    if address.kind == Kind.FILE:
        return film_interval_s(Path(address.path), cfg) or learnt_s
    return learnt_s if cfg.interval_s is None else cfg.interval_s


def required_camera(address: Address, facts: Mapping[str, Any], folder: Path) -> str:
    """How a folder knows its camera; another one would mix what does not belong together.

    Args:
        address: of the camera.
        facts: that the folder holds; empty: it is new.
        folder: of the watch.

    Raises:
        UserError: it was begun with another camera.
    """
    mine = address.shown
    if address.kind in (Kind.FILE, Kind.FOLDER):
        mine = str(Path(address.path).resolve())
    if facts.get("camera", mine) != mine:
        raise UserError(
            f"{folder} was begun with camera={facts['camera']}, got {mine}; give another out=..."
        )
    return mine
