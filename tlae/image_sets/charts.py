"""Charts of indices and of score histograms, as SVG text."""

from collections.abc import Mapping

import numpy as np

from tlae.image_sets.estimators import Scores
from tlae.image_sets.judging import Quality
from tlae.palette import CURVES, on_light
from tlae.rendering.charts import svg_element, svg_figure

BINS = 60
MOST_BEYOND = 3.0  # distances from the middle to the threshold that are drawn beyond it


def index_chart(by_k: Mapping[int, Quality], chosen: int) -> str:
    """The three indices over the number of clusters, the chosen one marked."""
    ks = sorted(by_k)
    panels = (
        ("Calinski-Harabasz (higher is better)", [by_k[k].calinski_harabasz for k in ks]),
        ("Davies-Bouldin (lower is better)", [by_k[k].davies_bouldin for k in ks]),
        ("silhouette (higher is better)", [by_k[k].silhouette for k in ks]),
    )
    with svg_figure(6.4, 6.0, rows=len(panels)) as (all_axes, svg):
        for axes, (title, values) in zip(all_axes, panels, strict=True):
            axes.plot(ks, values, color=CURVES[0], marker="o", markersize=3, linewidth=1.2)
            axes.axvline(chosen, color=on_light("amber"), linewidth=0.9, linestyle="--")
            axes.set_title(title, loc="left", fontsize=9)
            axes.set_xticks(ks if len(ks) <= 20 else ks[:: -(-len(ks) // 20)])
        all_axes[-1].set_xlabel(f"clusters (best mean rank: {chosen})")
    return svg_element(svg)


def histogram_chart(sets: Mapping[str, Scores], threshold: float) -> tuple[str, int]:
    """Histograms of the scores of several sets of pictures, each as shares of its own set.

    Args:
        sets: name -> finite scores.
        threshold: scores above it are outliers.

    Returns:
        SVG, and the number of scores beyond its right end, which are counted in the last bar: one
        extreme must not flatten all others.
    """
    everything = np.concatenate([*sets.values(), [threshold]])
    low, high = float(everything.min()), float(everything.max())
    middle = float(np.median(next(iter(sets.values()))))
    high = (
        min(high, threshold + MOST_BEYOND * max(threshold - middle, 0))
        if threshold > middle
        else high
    )
    cut = int((everything > high).sum())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1).tolist()
    with svg_figure(7.2, 3.2) as ((axes,), svg):
        for number, (name, scores) in enumerate(sets.items()):
            axes.hist(
                np.minimum(scores, edges[-1]),
                edges,
                weights=np.full(len(scores), 1 / len(scores)),
                color=CURVES[number % len(CURVES)],
                alpha=0.55,
                label=f"{name} ({len(scores):,})",
            )
        axes.axvline(
            threshold, color=on_light("amber"), linewidth=1.1, linestyle="--", label="threshold"
        )
        axes.set_xlabel("score (higher is more anomalous)")
        axes.set_ylabel("share of the set")
        axes.legend(frameon=False, fontsize=8)
    return svg_element(svg), cut
