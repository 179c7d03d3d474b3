"""ROC AUC of each kind of planted event against all frames without one.

    python scripts/by_kind.py data/street benchmarks/street/scores/segmenter-seed[0-9]

The first folder was written by `tlae plant` or `tlae scene`, the others by scoring its Test.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from tlae.evaluation.roc import roc_auc
from tlae.lab.known_events import frames_of, read_events
from tlae.scoring.results import read_results


def main() -> None:
    """Print one line for each kind: mean over the folders of scores, and each of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("planted", type=Path)
    parser.add_argument("scores", type=Path, nargs="+")
    arguments = parser.parse_args()
    events = read_events(arguments.planted)
    tables = [aucs(folder, events) for folder in arguments.scores]
    for kind in tables[0]:
        values = [100 * table[kind] for table in tables]
        each = ", ".join(f"{value:.1f}" for value in values)
        print(f"| {kind} | {np.mean(values):.1f} | {each} |")


def aucs(scores: Path, events: list[dict[str, Any]]) -> dict[str, float]:
    """ROC AUC by kind, of raw scores."""
    table = read_results(scores).table
    kinds = np.full(len(table), "", dtype=object)
    for event in events:
        kinds[frames_of(event, table)] = event["kind"]
    raw, normal = table["raw"].to_numpy(), kinds == ""
    found = {}
    for kind in sorted(set(kinds) - {""}):
        chosen = normal | (kinds == kind)
        found[kind] = roc_auc(raw[chosen], (kinds == kind)[chosen])
    return found


if __name__ == "__main__":
    main()
