"""Which reason is given for each kind of planted event, as a table of confusion.

    python scripts/reasons_by_kind.py data/street data/deep --scores scores/street scores/deep

Folders written by `tlae plant` or `tlae scene`, and for each the scores of its Test. Of each event
the frames count in which no other one goes on and whose worst place lies on it. It is found when
its highest score among them is above that of a share of the frames without an event, and its
reason is the one of that frame.
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.evaluation.labels.masks import read_mask
from tlae.lab.known_events import frames_of, read_events
from tlae.scoring.results import read_results

WORDS = {  # of ``attributes.reasons``; the first that is found in a reason names it
    "motion": ("moves in a way", "moves only", "halves that move together"),
    "speed": ("times as fast",),
    "direction": ("against the direction",),
    "size": ("times taller", "times wider", "times lower", "times narrower"),
    "place": ("at a place where", "on ground on which nothing stood"),
    "standing": ("has stood here", "stands here", "hardly moves"),
}
RIGHT = {
    **{"fast": ("speed",), "fast_mover": ("speed",), "big": ("size",), "big_object": ("size",)},
    **{"reversed": ("direction",), "wrong_direction": ("direction",)},
    **{"pasted": ("place",), "wrong_place": ("place",)},
    **{"stopped": ("standing",), "stopping": ("standing",)},
    **{"left_behind": ("standing", "place"), "appearing_object": ("standing", "place")},
}
OTHER = "other or none"
REACH = 0.05  # of the picture's height, by which the worst place may miss an event


def main() -> None:
    """Print the table, and how many of the events that were found have the right reason."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("planted", type=Path, nargs="+")
    parser.add_argument("--scores", type=Path, nargs="+", required=True)
    parser.add_argument("--share", type=float, default=0.95, help="of frames without an event")
    arguments = parser.parse_args()
    if len(arguments.scores) != len(arguments.planted):
        parser.error("--scores must name a folder for each folder of footage")
    events: Counter[str] = Counter()
    given: Counter[tuple[str, str]] = Counter()
    for planted, scores in zip(arguments.planted, arguments.scores, strict=True):
        known = read_events(planted)
        events.update(event["kind"] for event in known)
        given.update(reasons(planted, scores, known, arguments.share))
    columns = [*WORDS, OTHER]
    print(f"| planted | events | found | {' | '.join(columns)} | right |")
    print("|---" * (len(columns) + 4) + "|")
    right = found = 0
    for kind in sorted(events):
        counts = [given[kind, word] for word in columns]
        good = sum(given[kind, word] for word in RIGHT[kind])
        right, found = right + good, found + sum(counts)
        cells = [kind, events[kind], sum(counts), *counts, good]
        print("| " + " | ".join(map(str, cells)) + " |")
    print(f"\n{right} of {found} reasons are right; {found} of {events.total()} events were found")


def reasons(
    planted: Path, scores: Path, events: list[dict[str, Any]], share: float
) -> list[tuple[str, str]]:
    """Kind and reason, by one word, of the events that were found."""
    table = read_results(scores).table
    inside = [frames_of(event, table) for event in events]
    raw = table["raw"].to_numpy(float)
    normal = raw[~np.any(inside, axis=0)]
    level = float(np.nanquantile(normal, share))
    counts = (np.sum(inside, axis=0) == 1) & on_event(planted / "Test", table)
    found = []
    for event, frames in zip(events, inside, strict=True):
        seen = np.where(frames & counts & ~np.isnan(raw), raw, -np.inf)
        best = int(seen.argmax())
        if seen[best] > level:
            found.append((event["kind"], named(str(table["reason"].iloc[best]))))
    return found


def on_event(clips: Path, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether the worst place of each row lies on what is marked in that frame."""
    found = np.zeros(len(table), bool)
    places = table[["frame", "peak_x", "peak_y"]].to_numpy(float)
    for clip, rows in table.reset_index(drop=True).groupby("clip").groups.items():
        marked = sorted((clips / f"{clip}_gt").glob("*.png"))
        for row in rows:
            frame, x, y = places[row]
            if np.isnan(x) or frame >= len(marked):
                continue
            mask = read_mask(marked[int(frame)])
            reach = round(REACH * len(mask))
            around = [slice(max(0, int(at) - reach), int(at) + reach + 1) for at in (y, x)]
            found[row] = bool(mask[around[0], around[1]].any())
    return found


def named(reason: str) -> str:
    """The word for a reason."""
    for word, parts in WORDS.items():
        if any(part in reason for part in parts):
            return word
    return OTHER


if __name__ == "__main__":
    main()
