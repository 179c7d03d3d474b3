"""Whether footage can teach anything, asked before a net is fitted to it."""

import math

import numpy as np

from tlae.errors import FootageError
from tlae.training.normal_footage import NormalFootage

FEWEST_FRAMES = 8  # to learn from
FEWEST_HELD_OUT = 4  # that a calibration may rest on
CHUNK_FRAMES = 64  # read at once


def require_teachable(footage: NormalFootage) -> None:
    """Refuse footage of too few frames, and footage in which nothing ever changes.

    Raises:
        FootageError: says what is needed.
    """
    train, held_out = footage.train_frames, footage.held_out_frames
    if train < FEWEST_FRAMES or held_out < FEWEST_HELD_OUT:
        raise FootageError(
            f"footage must give at least {FEWEST_FRAMES} frames to learn from and "
            f"{FEWEST_HELD_OUT} held out to calibrate on, got {train} and {held_out}; "
            f"{_cure(train, held_out)}"
        )
    if not _changes(footage):
        raise FootageError(
            f"footage must show change, all {train:,} frames to learn from are the same picture "
            "as the net sees them (where footage.mask watches); look at the footage and the mask"
        )


def _cure(train: int, held_out: int) -> str:
    """What gives enough of both; a twentieth is the grain of the share to hold out."""
    frames = train + held_out
    share = math.ceil(20 * (FEWEST_HELD_OUT + 0.5) / max(1, frames)) / 20
    if train < FEWEST_FRAMES or (1 - share) * frames < FEWEST_FRAMES:
        return "give more footage"
    return f"give more footage, or hold out more of it (footage.holdout={share:g})"


def _changes(footage: NormalFootage) -> bool:
    """Whether any two frames to learn from differ where changes count."""
    rows = np.concatenate(footage.train)
    watched = None if footage.watched is None else footage.watched.numpy()
    first = footage.store.read(rows[:1])[0]
    for start in range(0, len(rows), CHUNK_FRAMES):
        differs = (footage.store.read(rows[start : start + CHUNK_FRAMES]) != first).any(axis=-1)
        if bool((differs if watched is None else differs & watched).any()):
            return True
    return False
