"""First figures on UCSD: python scripts/first_look_ucsd.py LABELS.m SCORES_FOLDER ...

Prints the ROC AUC of the raw column over all frames (micro, nothing rescaled per clip), and the
same of frame differencing under the same scoring rule, which learns nothing.
"""

import sys
from pathlib import Path

import numpy as np

from tlae.errors import UserError
from tlae.evaluation.baselines import frame_difference
from tlae.evaluation.frame_metrics import roc_auc
from tlae.evaluation.labels import frame_labels, read_ucsd_ranges
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import open_store
from tlae.footage.windows import segments
from tlae.scoring.results import Results, read_results
from tlae.scoring.rule import ScoringRule


def main(labels_file: str, *folders: str) -> None:
    """Print one row per folder, then the baseline for each rule met."""
    print("| scores | kernel, reduction | frames | normal | raw AUC | alarms: anomalous, normal |")
    print("|---|---|---|---|---|---|")
    rules: dict[ScoringRule, Results] = {}
    for folder in folders:
        results = read_results(Path(folder))
        rule = ScoringRule(**results.summary["rule"])
        rules.setdefault(rule, results)
        labels = labels_of(results, labels_file)
        alarm = results.table["alarm"].to_numpy()
        shares = f"{100 * alarm[labels].mean():.1f} %, {100 * alarm[~labels].mean():.1f} %"
        tell(folder, rule, results.table["raw"].to_numpy(), labels, shares)
    for rule, results in rules.items():
        footage = open_footage(results.summary["footage"]["path"])
        height, width = results.map_of(0).shape
        store = open_store(footage, Preprocessing((height, width)), Path("~/.cache/tlae"))
        raw = frame_difference(store, segments(store.index, 0), rule)
        tell("frame difference", rule, raw, labels_of(results, labels_file), "-")


def labels_of(results: Results, labels_file: str) -> np.ndarray:
    """One label per row of the score table."""
    lengths = results.table.groupby("clip", sort=False).size()
    by_clip = {str(clip): int(count) for clip, count in lengths.items()}
    return frame_labels(read_ucsd_ranges(Path(labels_file)), by_clip)


def tell(name: str, rule: ScoringRule, raw: np.ndarray, labels: np.ndarray, alarms: str) -> None:
    """One row."""
    time = "causal" if rule.causal else "centred"
    print(
        f"| {name} | {rule.kernel}, {rule.reduction}, {time} {rule.smooth_frames:g} "
        f"| {len(labels):,} | {int((~labels).sum()):,} | {100 * roc_auc(raw, labels):.1f} "
        f"| {alarms} |"
    )


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
