"""How well kinds of things are told on drawn sites, whose truth is known, and what answers hide.

python scripts/kinds_of_things.py data/carpark data/garden
python scripts/kinds_of_things.py data/carpark data/garden --scores scores/carpark scores/garden
python scripts/kinds_of_things.py data/carpark --scores scores/planted --clean scores/clean --days 4

Each site is a folder of `tlae site` with test days. Without ``--scores`` every planted thing is
given to the rule with its true place and first frames: what the rule alone confuses. With
``--scores`` the things that a model found are taken, in the order of the sites, and matched with
the planted ones. With ``--clean``, scores of the same days without what was planted, every event of
the first days is called normal: how many of the later ones are alike, and how many of the planted?
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tlae.footage.frames import Clip
from tlae.footage.sources import open_footage
from tlae.scoring.alike import alike, overlap, shares_of
from tlae.scoring.events import SCENE, Box, Event, moment_text
from tlae.scoring.results import Scores, read_results
from tlae.scoring.thing_kinds import CHANGED, GONE, NEW
from tlae.scoring.things import LASTING, LIGHT, PASSING, RECURRING
from tlae.table import Table
from tlae.workflows.thing_pictures import tell_kinds

KINDS = {
    "new_object": NEW,
    "gone": GONE,
    "changed": CHANGED,
    "one_frame": PASSING,
    "recurring": RECURRING,
}
TOLD = (NEW, GONE, CHANGED, PASSING, RECURRING, LASTING, LIGHT)
SEEN_FRAMES = 3  # a patch memory sees what has come for three quarters of an hour
LEAST_SHARE = 0.1  # of the smaller box, that a found thing shares with a planted one
STILLS_H = 0.25  # between two stills
LATEST_H = 2  # after the true end
NIGHT = 60.0  # mean brightness

Truth = Mapping[Any, Any]  # a row of things.csv


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table: a row for each truth, a column for each kind that was told."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sites", nargs="+", type=Path)
    parser.add_argument("--scores", nargs="+", type=Path, default=[])
    parser.add_argument("--clean", nargs="+", type=Path, default=[])
    parser.add_argument("--days", type=int, default=4)
    asked = parser.parse_args(arguments)
    if asked.clean:
        print("| site | answers | later events | hidden | of planted things | hidden |")
        print("|---|---|---|---|---|---|")
        for site, scores, clean in zip(asked.sites, asked.scores, asked.clean, strict=True):
            hidden = _hidden(site, read_results(scores), read_results(clean), asked.days)
            print(f"| {site.name} | {' | '.join(map(str, hidden))} |")
        return
    counts: Counter[tuple[str, str]] = Counter()
    over: Counter[str] = Counter()
    for number, site in enumerate(asked.sites):
        pairs = _found(site, asked.scores[number]) if asked.scores else _given(site)
        for truth, event, length in pairs:
            counts[KINDS[truth["kind"]], event.what] += 1
            if event.what in (NEW, GONE, CHANGED, LASTING):
                over[_end_of(truth, event, length)] += 1
    _print(counts, over)


def _given(site: Path) -> Iterator[tuple[Truth, Event, int]]:
    """Planted things as events of their true place."""
    things, frame, clips = _site(site)
    table = Table.of(frame)
    events = []
    for number, line in enumerate(things.to_dict("records")):
        many = 1 if line["kind"] in ("one_frame", "recurring") else SEEN_FRAMES
        first = int(line["first_frame"])
        last = min(first + many - 1, int(line["last_frame"]))
        what = {"one_frame": PASSING, "recurring": RECURRING}.get(line["kind"], LASTING)
        events.append(
            Event(
                id=f"E{number:04d}",
                kind=SCENE,
                zone=None,
                clip="planted",
                first_frame=first,
                last_frame=last,
                start_s=float(table["time_s"][first]),
                end_s=float(table["time_s"][last]),
                started_at=str(moment_text(table, first)),
                ended_at=str(moment_text(table, last)),
                peak_frame=first,
                peak_raw=1.0,
                peak_score=None,
                threshold=None,
                box=_box_of(line),
                what=what,
                frames=many,
            )
        )
    told = tell_kinds(events, table, clips)
    for truth, event in zip(things.to_dict("records"), told, strict=True):
        yield truth, event, len(table)


def _found(site: Path, scores: Path) -> Iterator[tuple[Truth, Event, int]]:
    """The first thing that a model found of each planted one."""
    things, results = pd.read_csv(site / "things.csv"), read_results(scores)
    for truth in things.to_dict("records"):
        for event in results.events:
            if event.what and _is_of(event, truth, results.table):
                yield truth, event, len(results.table)
                break


def _hidden(site: Path, planted: Scores, clean: Scores, days: int) -> tuple[int, ...]:
    """Answers; later events, and how many of them are alike; the same of planted things."""
    table, truths = clean.table, pd.read_csv(site / "things.csv").to_dict("records")
    size_hw = int(table["source_h"].iloc[0]), int(table["source_w"].iloc[0])
    border = table["taken_at"].iloc[0].normalize() + pd.Timedelta(days=days)
    things = [event for event in clean.events if event.what]
    answers = [event for event in things if pd.Timestamp(str(event.started_at)) < border]
    later = [event for event in things if event not in answers]
    of_planted = [
        event
        for event in planted.events
        if event.what
        and pd.Timestamp(str(event.started_at)) >= border
        and any(_is_of(event, truth, planted.table) for truth in truths)
    ]

    def count(events: list[Event]) -> int:
        places = [(answer, shares_of(answer.box, size_hw)) for answer in answers]
        return sum(
            any(alike(event, shares_of(event.box, size_hw), *place) for place in places)
            for event in events
        )

    return len(answers), len(later), count(later), len(of_planted), count(of_planted)


def _is_of(event: Event, truth: Truth, table: pd.DataFrame) -> bool:
    if not truth["first_frame"] <= event.peak_frame <= truth["last_frame"]:
        return False
    size_hw = int(table["source_h"].iloc[0]), int(table["source_w"].iloc[0])
    one, other = shares_of(event.box, size_hw), shares_of(_box_of(truth), size_hw)
    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    union = overlap(one, other)
    both = union * sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)) / (1 + union)
    return bool(both >= LEAST_SHARE * smaller)


def _box_of(truth: Truth) -> Box:
    left, top, width, height = (int(truth[name]) for name in ("left", "top", "width", "height"))
    return left, top, width, height


def _site(site: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Clip]]:
    """Planted things, a table of the planted clip with light as its mode, and the clip."""
    (clip,) = open_footage(str(site / "Test/planted")).clips
    lines = [
        {
            "clip": "planted",
            "frame": frame.frame,
            "path": frame.path,
            "time_s": frame.time_s,
            "taken_at": frame.taken_at,
            "state": "ok",
            "mode": "night" if frame.image is None or frame.image.mean() < NIGHT else "day",
            "source_h": frame.image.shape[0],
            "source_w": frame.image.shape[1],
        }
        for frame in clip.frames()
        if frame.image is not None
    ]
    return pd.read_csv(site / "things.csv"), pd.DataFrame(lines), {"planted": clip}


def _end_of(truth: Truth, event: Event, frames: int) -> str:
    """Whether the end that was told is the true one."""
    stays = truth["last_frame"] >= frames - 1
    if event.still_so is None:
        return "not told"
    if event.still_so:
        return "still so: right" if stays else "still so: wrong"
    if stays:
        return "over: wrong"
    late_h = (
        pd.Timestamp(str(event.over_at)) - pd.Timestamp(truth["first_taken_at"])
    ).total_seconds()
    late_h = late_h / 3600 - (truth["last_frame"] - truth["first_frame"]) * 0.25
    return "over: right within 2 h" if 0 <= late_h <= 2 else "over: another time"


def _print(counts: Counter[tuple[str, str]], over: Counter[str]) -> None:
    columns = [kind for kind in TOLD if any(told == kind for _, told in counts)]
    print(f"| truth | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for truth in KINDS.values():
        line = [str(counts[truth, told]) for told in columns]
        print(f"| {truth} | {' | '.join(line)} |")
    right = sum(count for (truth, told), count in counts.items() if truth == told)
    print(f"\n{right} of {counts.total()} right; " + ", ".join(f"{w} {n}" for w, n in over.items()))


if __name__ == "__main__":
    main()
