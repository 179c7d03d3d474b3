"""The time that slow clusterers announce, against the time that they take.

python scripts/cluster_times.py [--methods hdbscan,hdbscan_soft] [--rows 10000,20000] [--runs 2]

Made-up descriptors as those of `outlier_speed.py`, reduced to 50 principal components (--pca all:
as they are). Seconds are of the clock, as the announcement is: on a busy machine, look at several
runs.
"""

import argparse
import time

import numpy as np
from outlier_speed import descriptors

from tlae.image_sets.cluster_settings import ClusterSettings
from tlae.image_sets.cluster_time import estimated_s
from tlae.image_sets.clusters import find_clusters
from tlae.image_sets.preparation import fit_preparation


def main() -> None:
    """Estimate, cluster, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", default="hdbscan,hdbscan_soft")
    parser.add_argument("--rows", default="2000,10000,20000")
    parser.add_argument("--widths", default="64,512")
    parser.add_argument("--pca", default="50", help="components; all: none")
    parser.add_argument("--runs", type=int, default=2)
    words = parser.parse_args()
    print("| method | rows x numbers | estimated | taken | taken / estimated |")
    print("|---|---|---|---|---|")
    for rows in map(int, words.rows.split(",")):
        for width in map(int, words.widths.split(",")):
            values = descriptors(rows, width)
            if words.pca != "all":
                values = fit_preparation(values, "none", int(words.pca)).apply(values)
            for method in words.methods.split(","):
                for run in range(words.runs):
                    expected, taken = compared(values, ClusterSettings(method, k=8, seed=run))
                    line = f"{expected:.1f} s | {taken:.1f} s | {taken / expected:.2f}"
                    print(f"| {method} | {rows:,} x {width} | {line} |", flush=True)


def compared(values: np.ndarray, settings: ClusterSettings) -> tuple[float, float]:
    """Seconds announced and seconds taken."""
    expected = estimated_s(values, settings, len(values))
    started = time.monotonic()
    find_clusters(values, settings)
    return expected, time.monotonic() - started


if __name__ == "__main__":
    main()
