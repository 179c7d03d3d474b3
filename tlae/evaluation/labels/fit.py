"""Whether labels fit the scores: the same clips, and one label for every frame."""

from collections.abc import Collection, Mapping
from itertools import islice

from tlae.errors import UserError
from tlae.evaluation.ground_truth import ClipTruth
from tlae.number_words import how_many

Truths = dict[str, ClipTruth]
"""Ground truth by name of the clip."""

NAMED_AT_MOST = 3


def check_known(clips: Collection[str], lengths: Mapping[str, int], where: object) -> None:
    """Refuse labels of clips that have no scores: they belong to other footage.

    Args:
        clips: that the labels name.
        lengths: frames of each clip that has scores.
        where: file or folder of the labels, for the message.

    Raises:
        UserError: naming the first unknown clips.
    """
    if unknown := [clip for clip in clips if clip not in lengths]:
        raise UserError(
            f"labels must name only clips that have scores ({few(lengths)}), "
            f"{where} names {few(unknown)}; score them too or take their labels out"
        )


def check_clips(clips: Collection[str], lengths: Mapping[str, int], where: object) -> None:
    """Refuse labels that do not name exactly the clips that have scores.

    Args:
        clips: that the labels name.
        lengths: frames of each clip that has scores.
        where: file or folder of the labels, for the message.

    Raises:
        UserError: naming the first unknown or missing clips.
    """
    check_known(clips, lengths, where)
    if missing := [clip for clip in lengths if clip not in clips]:
        raise UserError(
            f"labels must name every clip that has scores, {where} misses {few(missing)}; "
            "label them too, or score only labelled clips"
        )


def check_count(clip: str, count: int, length: int, where: object) -> None:
    """Refuse a clip with more or fewer labels than scored frames.

    Args:
        clip: its name.
        count: labelled frames.
        length: scored frames.
        where: file or folder of the labels, for the message.

    Raises:
        UserError: naming both counts.
    """
    if count != length:
        raise UserError(
            f"labels of {clip} must be one per frame, {where} has {count:,} of them and the scores "
            f"have {how_many(length, 'frame')}; label the footage that was scored"
        )


def few(names: Collection[str]) -> str:
    """List the first names, and say how many more there are."""
    more = len(names) - NAMED_AT_MOST
    return ", ".join(islice(names, NAMED_AT_MOST)) + (f" and {more:,} more" if more > 0 else "")
