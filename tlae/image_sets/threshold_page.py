"""A page that shows where a threshold lies among the scores of several sets of pictures."""

import json
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from tlae.image_sets.charts import histogram_chart
from tlae.image_sets.estimators import Scores

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99, 1.0)  # shares of the held-out pictures kept

PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #22262c; max-width: 56rem; margin: 2rem auto;
  padding: 0 1rem; }}
table {{ border-collapse: collapse; }} td, th {{ padding: .2rem .8rem; text-align: right;
  border-bottom: 1px solid #dde1e6; font-variant-numeric: tabular-nums; }}
th:first-child, td:first-child {{ text-align: left; }} svg {{ max-width: 100%; height: auto; }}
tr.chosen {{ background: #fde8e6; }} pre {{ background: #f4f5f7; padding: .6rem; }}
</style></head><body>
<h1>{title}</h1>
<p>{intro}</p>
{chart}
<h2>Other thresholds</h2>
<table><tr><th>threshold</th>{heads}</tr>
{rows}
</table>
<p>The share of each set that would be called an outlier (-1).</p>
<pre>{facts}</pre>
</body></html>
"""


def threshold_page(
    title: str,
    intro: str,
    sets: Mapping[str, Scores],
    threshold: float,
    facts: Mapping[str, object],
) -> str:
    """One HTML page without scripts.

    Args:
        title: heading.
        intro: what the sets and the threshold are.
        sets: name -> finite scores; the first holds the held-out normal pictures.
        threshold: the chosen one.
        facts: shown below.
    """
    held_out = next(iter(sets.values()))
    levels = {float(np.quantile(held_out, level, method="higher")) for level in LEVELS}
    rows = [_row(level, sets, chosen=level == threshold) for level in sorted({*levels, threshold})]
    return PAGE.format(
        title=escape(title),
        intro=escape(intro),
        chart=histogram_chart(sets, threshold),
        heads="".join(f"<th>{escape(name)}</th>" for name in sets),
        rows="\n".join(rows),
        facts=escape(json.dumps(facts, indent=1, default=str)),
    )


def _row(level: float, sets: Mapping[str, Scores], *, chosen: bool) -> str:
    shares: Sequence[float] = [float((scores > level).mean()) for scores in sets.values()]
    cells = "".join(f"<td>{share:.1%}</td>" for share in shares)
    mark = ' class="chosen"' if chosen else ""
    return f"<tr{mark}><td>{level:.4f}</td>{cells}</tr>"
