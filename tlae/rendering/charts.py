"""Charts of an evaluation, as SVG text that stands in a page or a file of its own."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tlae.palette import CURVES, on_light

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR = 0.05  # height of the bar over frames in alarm, as a share of the chart
MOST_POINTS = 1500  # of a curve; beyond, each point shows the highest score of its stretch

Series = npt.NDArray[np.float64]


def roc_chart(curves: Mapping[str, tuple[Series, Series]]) -> str:
    """ROC curves, one colour each.

    Args:
        curves: name -> false positive rates and true positive rates, in [0, 1].
    """
    with svg_figure(5.2, 4.6) as ((axes,), svg):
        axes.plot([0, 1], [0, 1], color=on_light("faint"), linewidth=0.8, linestyle=":")
        for number, (name, (fpr, tpr)) in enumerate(curves.items()):
            colour = CURVES[number % len(CURVES)]
            axes.plot(*_thinned(fpr, tpr), color=colour, linewidth=1.6, label=name)
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        axes.set_xlabel("normal frames called anomalous")
        axes.set_ylabel("anomalous frames found")
        axes.legend(loc="lower right", frameon=False, fontsize=8)
    return svg_element(svg)


@dataclass(frozen=True)
class ChartedClip:
    """What the chart of one clip shows.

    Attributes:
        name: of the clip.
        scores: name -> (n,), NaN where there is none.
        anomalous: (n,), labelled so.
        alarm: (n,), in alarm; None: not known.
    """

    name: str
    scores: Mapping[str, Series]
    anomalous: npt.NDArray[np.bool_]
    alarm: npt.NDArray[np.bool_] | None = None


def score_chart(
    clips: Sequence[ChartedClip],
    threshold: float | None,
    limits: tuple[float, float],
    unit: str = "",
) -> str:
    """Scores over the frames of clips, one below the other.

    Stretches labelled anomalous have a red ground, those in alarm a red bar above.

    Args:
        clips: at least one; a single one bears no name.
        threshold: alarm threshold in the same units; None: none.
        limits: of the score axis, the same for all clips, so that they can be compared.
        unit: written at the score axis.
    """
    with svg_figure(8.2, 1.7 * len(clips), rows=len(clips)) as (panels, svg):
        for axes, clip in zip(panels, clips, strict=True):
            _draw_scores(axes, clip, threshold)
            axes.set(xlim=(-0.5, len(clip.anomalous) - 0.5), ylim=limits, ylabel=unit)
            if len(clips) > 1:
                axes.set_title(clip.name, loc="left", fontsize=9)
        panels[-1].set_xlabel("frame")
        if len(clips[0].scores) > 1:
            panels[0].legend(loc="upper right", frameon=False, fontsize=7, ncols=4)
    return svg_element(svg)


def _draw_scores(axes: "Axes", clip: ChartedClip, threshold: float | None) -> None:
    for first, last in _stretches(clip.anomalous):
        axes.axvspan(first - 0.5, last + 0.5, color=on_light("alarm"), alpha=0.16, linewidth=0)
    for first, last in _stretches(clip.alarm) if clip.alarm is not None else ():
        axes.axvspan(first - 0.5, last + 0.5, 1 - BAR, 1, color=on_light("alarm"), linewidth=0)
    for number, (name, values) in enumerate(clip.scores.items()):
        colour = CURVES[number % len(CURVES)]
        axes.plot(*_highest(values), color=colour, linewidth=1.1, label=name)
    if threshold is not None:
        axes.axhline(threshold, color=on_light("amber"), linewidth=0.9, linestyle="--")


@contextmanager
def svg_figure(
    width_in: float, height_in: float, rows: int = 1
) -> Iterator[tuple[list["Axes"], io.StringIO]]:
    """Plain axes, one below the other; the text is there after the block, see ``svg_element``."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    svg = io.StringIO()
    with mpl.rc_context(
        {
            "svg.fonttype": "none",  # text stays text
            "svg.hashsalt": "tlae",  # equal charts are equal bytes
            "font.family": "sans-serif",
            "font.size": 9,
            "axes.edgecolor": on_light("faint"),
            "axes.spines.top": False,
            "axes.spines.right": False,
            **dict.fromkeys(
                ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"),
                on_light("ink"),
            ),
            **dict.fromkeys(("xtick.color", "ytick.color"), on_light("faint")),
        }
    ):
        figure = Figure((width_in, height_in), layout="tight")
        yield list(figure.subplots(rows, squeeze=False)[:, 0]), svg
        unsigned = {"Date": None, "Creator": None}
        figure.savefig(svg, format="svg", transparent=True, metadata=unsigned)


def svg_element(svg: io.StringIO) -> str:
    """The SVG element alone, as it stands in a page or in a file."""
    text = svg.getvalue()
    return text[text.index("<svg") :]


def _thinned(x: Series, y: Series) -> tuple[Series, Series]:
    """No more than ``MOST_POINTS`` of a curve, ends kept."""
    if len(x) <= MOST_POINTS:
        return x, y
    kept = np.linspace(0, len(x) - 1, MOST_POINTS).round().astype(np.int64)
    return x[kept], y[kept]


def _highest(values: Series) -> tuple[Series, Series]:
    """Frame numbers and scores, thinned to the highest score of each stretch."""
    frames = np.arange(len(values), dtype=np.float64)
    step = -(-len(values) // MOST_POINTS)
    if step <= 1:
        return frames, values
    padded = np.full(step * -(-len(values) // step), -np.inf)
    padded[: len(values)] = np.where(np.isnan(values), -np.inf, values)
    highest = padded.reshape(-1, step).max(axis=1)
    return frames[::step], np.where(np.isneginf(highest), np.nan, highest)


def _stretches(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]
