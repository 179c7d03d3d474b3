"""A map of clusters as a picture: like pictures lie beside each other."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.image_sets.cluster_methods import OUTLIER, Labels
from tlae.image_sets.maps import MAPS, lay_out
from tlae.number_words import how_many
from tlae.palette import CURVES, on_light
from tlae.progress import progress
from tlae.whole_file import whole_file

MARKERS = (
    "o",
    "s",
    "^",
    "D",
    "v",
    "P",
    "X",
    "<",
    ">",
    "*",
)  # another one for each round of colours
NAMED = 40  # clusters whose number stands on the map
SIDE_IN, DOTS_PER_INCH = 8.0, 120


def draw_cluster_map(
    path: Path,
    values: npt.NDArray[Any],
    labels: Labels,
    method: str,
    dimensions: int = 2,
    seed: int = 0,
) -> None:
    """Write a PNG with a dot for each picture, coloured by its cluster; outliers are grey crosses.

    Args:
        path: of the PNG.
        values: (N, d), as they were clustered.
        labels: (N,).
        method: a key of ``maps.MAPS``.
        dimensions: 2, or 3 for a view in perspective.
        seed: of t-SNE and UMAP.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    title = MAPS[method].title
    with progress(f"drawing the {title} map", 100, "%") as advance:
        done = 0

        def tell(share: float, what: str) -> None:
            nonlocal done
            advance(max(0, int(100 * share) - done))
            done = max(done, int(100 * share))

        placed = lay_out(method, values, dimensions, seed, tell)
    figure = Figure((SIDE_IN, SIDE_IN), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot(projection="3d" if dimensions == 3 else None)
    size = float(np.clip(20_000 / max(len(labels), 1), 2, 28))
    outside = labels == OUTLIER
    if outside.any():
        axes.scatter(*placed[outside].T, s=size, c=on_light("faint"), marker="x", linewidths=0.7)
    for name in range(int(labels.max(initial=OUTLIER)) + 1):
        own = placed[labels == name]
        colour = CURVES[name % len(CURVES)]
        marker = MARKERS[name // len(CURVES) % len(MARKERS)]
        axes.scatter(*own.T, s=size, c=colour, marker=marker, linewidths=0, alpha=0.75)
        if name < NAMED:
            box = {"facecolor": "white", "edgecolor": colour, "alpha": 0.85, "pad": 1.5}
            axes.text(
                *np.median(own, axis=0), f"{name}", color=on_light("ink"), fontsize=9, bbox=box
            )
    outliers = f", {how_many(int(outside.sum()), 'outlier')} (x)" if outside.any() else ""
    clusters = int(labels.max(initial=OUTLIER)) + 1
    axes.set_title(
        f"{title}: {how_many(len(labels), 'picture')}, {how_many(clusters, 'cluster')}{outliers}",
        fontsize=10,
    )
    axes.set_xticks([])
    axes.set_yticks([])
    if dimensions == 3:
        axes.set_zticks([])
    else:
        axes.set_aspect("equal")
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png")
