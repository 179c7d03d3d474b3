"""tlae plant footage=PATH out=FOLDER [clips=16] [clip_frames=90] [seed=0].

Plants anomalies into normal footage that has no labels, so that a detector can be measured on it.
The first frames of the footage are for training (parts=2: of each half of it), clips from the rest
get one event each (a quarter gets none): played fast or backwards, a thing pasted where none
belongs, stopped, or enlarged. Writes <out>/Train and <out>/Test with exact masks and labels, which
`tlae benchmark footage=<out>` takes, and planted.json (which event is where). The same settings
give the same bytes.
"""

import shlex
import time
from collections import Counter
from pathlib import Path

from tlae.errors import refusing_bad_values
from tlae.lab.planting import PlantOptions, PlantSummary, plant_footage
from tlae.lab.settings import PlantConfig
from tlae.number_words import how_many
from tlae.schema import part_of
from tlae.workflows.named_footage import open_named


def run(cfg: PlantConfig) -> None:
    """Normal footage in, footage with known anomalies out."""
    started = time.monotonic()
    options = part_of(cfg, PlantOptions)
    footage = open_named(cfg.footage)
    with refusing_bad_values():
        summary = plant_footage(footage, Path(cfg.out), options)
    _report(summary, time.monotonic() - started)


def _report(summary: PlantSummary, seconds: float) -> None:
    counts = Counter(clip["kind"] for clip in summary.clips)
    frames = sum(len(clip["source_frames"]) for clip in summary.clips)
    print(
        f"planted in {seconds:.0f} s: {how_many(summary.train_frames, 'training frame')}, "
        f"{how_many(frames, 'test frame')} in {how_many(len(summary.clips), 'clip')} "
        f"({', '.join(f'{count} {kind}' for kind, count in sorted(counts.items()))})"
    )
    for kind, reason in summary.skipped.items():
        print(f"  not planted: {kind}, {reason}")
    print(f"results: {summary.folder}")
    interval = f" footage.interval_s={summary.interval_s:g}" if summary.interval_s else ""
    print(f"next:    tlae benchmark {shlex.quote(f'footage={summary.folder}')}{interval}")
