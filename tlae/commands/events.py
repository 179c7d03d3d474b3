"""tlae events scores=FOLDER [zones=FILE] [scoring.alarms_per_day=2] [clips=true] [normal=E0012].

Finds events anew in what is already scored, with another alarm budget, other zones or other rules
of what makes one event; no net is run. Writes into the scores folder: events.json, events.csv, the
alarm column of scores.parquet and scores.csv, with zones zones.parquet (score of each zone); with
clips=true a video and a still of each event in events/. docs/events.md explains every field.

A zone's threshold comes from the model's calibration, which is of the whole picture: it holds for a
zone, but is stricter than need be. normal_scores=FOLDER (scores of normal footage) calibrates each
zone by what is normal in it.

normal=E0012,E0031 says that these things are normal: they, and what is alike at their place and
hour, are hidden from now on, here and in what this model scores later. The answers lie beside the
model, in answers.json. take_back=E0012 takes an answer back; answers=false shows all.
"""

import time
from pathlib import Path

import numpy as np

from tlae.commands.event_lines import answer_lines, shown_and_hidden, threshold_words
from tlae.config_scores import EventsConfig
from tlae.footage.frames import OK
from tlae.number_words import how_many
from tlae.scoring.events import in_alarm
from tlae.scoring.results import held_results
from tlae.workflows.answers import answer, is_answer
from tlae.workflows.event_clips import write_clips
from tlae.workflows.events import EventsReport, find_anew

MUCH = 0.5  # of the frames in alarm: the threshold distinguishes nothing


def run(cfg: EventsConfig) -> None:
    """Find events anew, and cut out clips of them."""
    started = time.monotonic()
    with held_results(Path(cfg.scores).expanduser()):
        if is_answer(cfg):
            print("\n".join(answer_lines(answer(cfg))))
            return
        report = find_anew(cfg)
        _print_report(report, time.monotonic() - started)
        if cfg.clips:
            write_clips(report.scores, cfg.footage, cfg.padding_s, cfg.most_clips)


def _print_report(report: EventsReport, seconds: float) -> None:
    table, events = report.scores.columns, report.scores.events
    print(f"looked at {how_many(len(table), 'frame')} in {seconds:.1f} s (known maps, no net run)")
    seen = table["state"] == OK
    for area in report.areas:
        share = float(in_alarm(table, area.counted, area.threshold).mean())
        name = area.name or "whole picture"
        levels = threshold_words(table["mode"][seen], area.threshold[seen])
        count = sum(event.zone == area.name and event.kind == "scene" for event in events)
        print(
            f"{name}: {100 * share:.3g} % of frames in alarm (raw > {levels}), "
            f"{how_many(count, 'event')}"
        )
        if not np.isfinite(area.threshold[:]).any():
            print("  no alarms: give scoring.threshold=... or, with a calibration, a budget")
        if share > MUCH:
            print("  note: most frames are in alarm; a higher threshold would distinguish more")
    for line in shown_and_hidden(report.scores):
        print(line)
    for event in events:
        if event.accepted_at is not None:
            print(f"  declared normal at {event.accepted_at}: what stays since {event.id}")
    print(f"results: {report.scores.folder}")
