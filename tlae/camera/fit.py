"""Learn a camera from its normal footage."""

import numpy as np

from tlae.camera.background import MEDIAN_FRAMES, BackgroundBank, appearance_groups
from tlae.camera.camera import Camera, Sight
from tlae.camera.clusters import Labels
from tlae.camera.health import Signs, fit_limits
from tlae.camera.measures import Values, dark_share, look, luminance
from tlae.camera.modes import find_modes, one_mode
from tlae.camera.options import CameraOptions
from tlae.errors import FootageError
from tlae.footage.frames import OK, Image
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows, evenly

FIT_FRAMES = 1500  # evenly spread; more would not make medians and quantiles better
FIT_BYTES = 2**28  # of them in memory
COPY_FRAMES, BLOCK_FRAMES = 20_000, 256  # looked through for copies, and read at once


def fit_camera(store: FrameStore, rows: Rows, options: CameraOptions) -> Camera:
    """Modes, backgrounds and limits of health of a camera.

    Args:
        store: decoded frames.
        rows: of normal footage, in order.
        options: which parts are on; kept in the camera.

    Raises:
        FootageError: the footage is black throughout, so there is no scene to learn.
    """
    rows = rows[(store.index["state"] == OK)[rows]]
    at_most = max(8, min(FIT_FRAMES, FIT_BYTES // int(np.prod(store.shape[1:]))))
    frames = store.read(rows[evenly(len(rows), at_most)])
    frames = frames[dark_share(luminance(frames)) < 1]
    if not len(frames):
        raise FootageError(
            f"camera.* needs training frames that show something, got {len(rows):,} black ones; "
            "look at the footage, or switch camera.modes, light, register and health off"
        )
    looks = look(frames)
    modes = find_modes(looks) if options.modes else one_mode(looks)
    bank = fit_bank(frames, modes.nearest(looks))
    limits = fit_limits(_signs(frames, looks, bank), longest_copies(store, rows))
    return Camera(options, modes, bank, limits)


def fit_bank(frames: Image, mode: Labels) -> BackgroundBank:
    """Median pictures of each appearance of each mode.

    Args:
        frames: (n, H, W, C) of normal footage.
        mode: (n,), number of each frame's mode.
    """
    pictures: list[Image] = []
    modes: list[int] = []
    for number in np.unique(mode):
        inside = np.flatnonzero(mode == number)
        group = appearance_groups(luminance(frames[inside]))
        for which in np.unique(group):
            members = inside[group == which]
            some = members[np.linspace(0, len(members) - 1, MEDIAN_FRAMES).round().astype(int)]
            pictures.append(np.median(frames[np.unique(some)], axis=0).astype(np.uint8))
            modes.append(int(number))
    return BackgroundBank(np.stack(pictures), np.array(modes, np.int64))


def longest_copies(store: FrameStore, rows: Rows) -> int:
    """Most exact copies in a row in the first frames of normal footage, within a clip."""
    clips = store.index["clip"]
    rows = rows[:COPY_FRAMES]
    longest = run = 0
    for start in range(0, len(rows) - 1, BLOCK_FRAMES):
        block = rows[start : start + BLOCK_FRAMES + 1]
        frames = store.read(block)
        equal = (frames[1:] == frames[:-1]).all(axis=(1, 2, 3))
        for copied in equal & (clips[block[1:]] == clips[block[:-1]]):
            run = run + 1 if copied else 0
            longest = max(longest, run)
    return longest


def _signs(frames: Image, looks: Values, bank: BackgroundBank) -> list[list[Signs]]:
    """Signs of normal frames, by the mode of the background that they look like."""
    light = luminance(frames)
    chosen = bank.most_alike(light, looks)
    signs = [Sight(light[i], int(chosen[i]), bank).signs(0) for i in range(len(frames))]
    mode = bank.mode[chosen]
    grouped = [[signs[i] for i in np.flatnonzero(mode == m)] for m in range(bank.mode.max() + 1)]
    return [group or signs for group in grouped]
