"""tlae compare scenes=[data/one,data/two] [models=[joint,copy_last]] [days=[dark,shift]].

Trains each model on each scene, scores the test footage as it is and as it looks on other days,
and puts the figures into one table: detection, false alarms realised and asked for, costs. The mean
over the scenes is the figure that counts. Writes <out>/comparison.md and comparison.csv; a killed
comparison continues.
"""

from tlae.lab.compare.scenes import compare
from tlae.lab.settings import CompareConfig


def run(cfg: CompareConfig) -> None:
    """Many models on many scenes."""
    compare(cfg)
