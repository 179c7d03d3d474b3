"""Measure the scores of any detector: all it takes is a table with clip, frame, score and label.

python examples/04_evaluate_a_table.py [TABLE.csv]
"""

import sys

import numpy as np
import pandas as pd

import tlae

if not sys.argv[1:]:
    random = np.random.default_rng(0)
    label = np.repeat([0, 1, 0, 1, 0], 60)
    score = random.normal(size=len(label)) + 2 * label
    clip = np.repeat(["a", "b", "c", "d", "e"], 60)
    table = pd.DataFrame({"clip": clip, "frame": np.tile(range(60), 5), "score": score})
    table.assign(label=label).to_csv("errors.csv", index=False)

found = tlae.evaluate(*sys.argv[1:] or ["errors.csv"])
for measure in found.measures:
    print(f"{measure.shown:>12}  {measure.name}; {measure.basis}")
