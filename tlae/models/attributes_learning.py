"""What the attributes take from normal footage: the scale of the scene, and all its cells."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tlae.attributes.background import Background, Plane
from tlae.attributes.cells import Cells
from tlae.attributes.examples import Collector
from tlae.attributes.kinds import Scale, fitted_scale
from tlae.attributes.normal import FRAMES_AVERAGED
from tlae.attributes.observer import Observation, Observer, ObserverState, Renewal
from tlae.models.contract import NormalFrames
from tlae.progress import progress

GLANCES = 300  # short looks at the footage, for the scale of the scene
FAR_PX = 4.0  # that fast things should move between the two pictures of motion
MOST_APART = 4  # frames
SHORT_RUN_S = 4.0  # runs below this are too short for the attributes
RESTLESS = 0.3  # mean share of cells that are in front, from which on a note is due

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Learnt:
    """What the frames to learn from show.

    Attributes:
        cells: of all of them.
        numbers: (n,) of each frame, ascending; frames without a gap between them follow each other.
        moves: (n,) bool, False for frames that show no motion yet.
        longest: frames that were followed without a gap.
    """

    cells: Cells
    numbers: npt.NDArray[np.int64]
    moves: npt.NDArray[np.bool_]
    longest: int


def note_restless(cells: int, frames: int, grid: tuple[int, int]) -> None:
    """Where much of the picture is no background, nothing stands out from it."""
    share = cells / (frames * grid[0] * grid[1])
    if share > RESTLESS:
        logger.warning(
            f"note: {share:.0%} of the picture differs from the background on average (leaves, "
            "water, a crowd, or a camera that moves), so little can stand out; mask such places "
            "(`tlae mask` proposes some) and fix the camera"
        )


def note_short_runs(longest: int, interval_s: float) -> None:
    """Where the footage is cut so short that new footage without cuts will look otherwise."""
    if longest * interval_s < SHORT_RUN_S:
        logger.warning(
            f"note: the longest run without a gap lasts {longest * interval_s:.1f} s; less than "
            f"{SHORT_RUN_S:g} s do not show how long things stand, so longer footage may alarm "
            "more often than was asked; train on longer clips"
        )


def of_stretches(scores: Plane, learnt: Learnt, lengths: list[int]) -> list[Tensor]:
    """Scores of numbered frames, cut into stretches; those without a score have NaN."""
    known = np.append(scores, np.zeros(max(0, int(learnt.numbers.max()) + 1 - len(scores))))
    values = np.where(learnt.moves, known[learnt.numbers], np.nan)
    return list(torch.split(torch.from_numpy(values), lengths))


def scale_of(footage: NormalFrames, background: Background) -> tuple[int, Scale]:
    """Frames between the pictures of motion, and the scale of the scene, from short looks."""
    speeds, cells = [], []
    for seen in _glances(footage, background, 1):
        speeds.append(np.linalg.norm(seen.planes.flow, axis=2)[seen.planes.foreground > 0.5][::7])
        cells.append(seen.cells)
    fast = float(np.quantile(np.concatenate([*speeds, [0.1]]), 0.99))
    apart = int(np.clip(round(FAR_PX / fast), 1, MOST_APART))
    if apart > 1:
        cells = [seen.cells for seen in _glances(footage, background, apart)]
    return apart, fitted_scale(Cells.joined(cells), background.frame)


def _glances(footage: NormalFrames, background: Background, apart: int) -> Iterator[Observation]:
    """The last of ``apart + 1`` frames, at many times."""
    observer = Observer(background, apart, Renewal(), None)
    for piece in footage.glances(GLANCES, apart + 1):
        pictures = piece.permute(0, 2, 3, 1).contiguous().numpy()
        past = ObserverState.none(pictures.shape[1:])
        for picture in pictures:
            seen, past = observer.see(picture, past)
        yield seen


def learnt_of(
    observer: Observer, footage: NormalFrames, most_frames: int, collector: Collector
) -> Learnt:
    """Follow the footage, and keep what the frames to learn from show."""
    first = longest = 0
    cells: list[Cells] = []
    numbers: list[int] = []
    moves: list[bool] = []
    with progress("measuring normal footage", sum(footage.lengths(most_frames))) as advance:
        for stretch in footage.followed(most_frames):
            past = None
            for piece, learnt in stretch:
                pictures = piece.permute(0, 2, 3, 1).contiguous().numpy()
                past = past or ObserverState.none(pictures.shape[1:])
                for picture, is_learnt in zip(pictures, learnt.tolist(), strict=True):
                    number, shows_motion = first + past.count, past.count > 0
                    seen, past = observer.see(picture, past)
                    if not is_learnt:
                        continue
                    collector.see(picture, seen.cells)
                    cells.append(replace(seen.cells, frame=seen.cells.frame + first))
                    numbers.append(number)
                    moves.append(shows_motion)
                advance(int(learnt.sum()))
            length = past.count if past else 0
            first, longest = first + length + FRAMES_AVERAGED, max(longest, length)
    return Learnt(Cells.joined(cells), np.array(numbers), np.array(moves), longest)
