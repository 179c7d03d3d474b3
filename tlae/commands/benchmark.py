"""tlae benchmark footage=FOLDER [-m model=cae_small,convlstm_small seed=0,1,2].

Trains a net on the train split alone (weights of the last epoch, nothing chosen after the fact),
scores the test split, evaluates, and puts the figures beside those of trivial baselines.
Runs into one folder add up to one table, mean and standard deviation over seeds; a killed benchmark
continues.
Writes <out>/<name>/: benchmark.md, benchmark.csv, roc.svg, scores.svg, maps.png, and each run's
model (checkpoints/), scores and report (scores/<run>/evaluation/report.html).

With planted=true the footage is a time-lapse of normal days without splits or labels: it is split
by days (stills.split=[8,1,3]: train, calibrate, test), objects of graded size and contrast are
planted into the test days, and nuisances; see <out>/<name>/footage. Tables: which share of the
objects is found at 1, 2, 5, 10 and 20 things a day, and how many things a day hold no object.
"""

from tlae.lab.benchmark.video import benchmark
from tlae.lab.settings import BenchmarkConfig


def run(cfg: BenchmarkConfig) -> None:
    """One net beside the baselines."""
    benchmark(cfg)
