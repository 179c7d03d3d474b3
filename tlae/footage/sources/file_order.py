"""In which order the stills of a folder were taken, where their names sort otherwise.

Names are in the order of time as a rule. They are not where a counter begins anew (``IMG_9999``,
then ``IMG_0001``), where the day stands before the year, or where two cameras share a folder.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise

SMALL_STEP = timedelta(hours=2)  # back by no more: the end of summer time, a clock that was set

Pieces = list[list[int]]


def is_disordered(names: Sequence[str], times: Sequence[datetime | None]) -> bool:
    """Whether times step back from a name to a later one, as no camera's clock does."""
    return len(_pieces(names, times)) > 1


def order_by_time(names: Sequence[str], times: Sequence[datetime | None]) -> list[int]:
    """Places of files in the order in which they were taken.

    Pieces within which times go forward stay whole; they are put into the order of time. Where they
    overlap, files are sorted one by one; where cameras (names that begin otherwise) took turns,
    each camera's after the other's. A file without a time stays behind its neighbour.

    Args:
        names: file names in natural order.
        times: of the files, None where not known.

    Returns:
        For each place in time, the place in ``names``.
    """
    pieces = _pieces(names, times)
    if len(pieces) < 2:
        return list(range(len(names)))
    known = _filled(times)
    pieces.sort(key=lambda piece: known[piece[0]])
    overlap = any(
        known[later[0]] < max(known[place] for place in earlier)
        for earlier, later in pairwise(pieces)
    )
    if not overlap:
        return [place for piece in pieces for place in piece]
    order = sorted(range(len(names)), key=lambda place: known[place])
    in_time = (name_beginning(names[place]) for place in order)
    beginnings = [beginning for beginning, _ in groupby(in_time)]
    if len(beginnings) == len(set(beginnings)):
        return order
    return sorted(order, key=lambda place: name_beginning(names[place]))


def name_beginning(name: str) -> str:
    """The letters, perhaps with a number of one or two digits, that a file name begins with.

    Names of two cameras differ in it. Empty for a name that begins otherwise.
    """
    found = re.match(r"[^\W\d_]\D*(?:\d{1,2}(?=[-_ ]))?", name)
    return found[0] if found else ""


def _pieces(names: Sequence[str], times: Sequence[datetime | None]) -> Pieces:
    """Places cut where time steps back by more than ``SMALL_STEP``.

    Not where the number in the name goes on by one: that is a clock that was reset.
    """
    pieces: Pieces = [[]]
    before: int | None = None
    for place, time in enumerate(times):
        if time is not None:
            earlier = None if before is None else times[before]
            if (
                before is not None
                and earlier is not None
                and time < earlier - SMALL_STEP
                and not _goes_on(names[place - 1], names[place])
            ):
                pieces.append([])
            before = place
        pieces[-1].append(place)
    return pieces


def _goes_on(name: str, later: str) -> bool:
    """Whether the last number of a name is one more than that of another, otherwise equal one."""
    one, other = (re.fullmatch(r"(.*?)(\d{1,9})(\D*)", text, re.ASCII) for text in (name, later))
    if not one or not other:
        return False
    return (one[1], int(one[2]) + 1, one[3]) == (other[1], int(other[2]), other[3])


def _filled(times: Sequence[datetime | None]) -> list[datetime]:
    """Times in which a file without one has that of the file before; the first, of the next."""
    last = next(time for time in times if time is not None)
    filled = []
    for time in times:
        last = time or last
        filled.append(last)
    return filled
