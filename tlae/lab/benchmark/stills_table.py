"""One benchmark folder of planted stills: its runs side by side, as tables."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tlae.lab.benchmark.runs import model_of
from tlae.lab.benchmark.stills_maps import write_maps
from tlae.lab.markdown import table_head, table_row
from tlae.lab.planting.stills import CLEAN, StillSummary
from tlae.lab.still_figures.figures import (
    BUDGETS,
    PRIMARY_BUDGET,
    PRIMARY_CONTRAST,
    PRIMARY_SIZE,
)
from tlae.lab.still_figures.sightings import wilson_interval
from tlae.whole_file import explain_os_errors, whole_file

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Runs:
    """Figures of all runs.

    Attributes:
        table: the figures with columns ``model`` and ``run``.
        models: in the order of the tables, baselines first.
        first: a run of each model.
        rules: what of each model's scoring rule matters most for small objects.
    """

    table: pd.DataFrame
    models: list[str]
    first: dict[str, str]
    rules: dict[str, str]

    def of(self, figure: str, budget: int | None = None, **where: object) -> pd.DataFrame:
        """Rows of a figure."""
        table = self.table[self.table["figure"] == figure]
        if budget is not None:
            table = table[table["budget"] == budget]
        for column, value in where.items():
            table = table[table[column] == value]
        return table

    def cell(self, rows: pd.DataFrame, model: str, *, percent: bool = True) -> str:
        """Mean and spread over seeds of a model's figure."""
        values = rows.loc[rows["model"] == model, "value"].to_numpy(np.float64)
        if not len(values) or np.isnan(values).any():
            return "-"
        scale = 100 if percent else 1
        text = f"{scale * values.mean():.1f}"
        return f"{text} ± {scale * values.std(ddof=1):.1f}" if len(values) > 1 else text


def write_stills_benchmark(folder: Path, baselines: Sequence[str], stills: StillSummary) -> None:
    """Write benchmark.md, benchmark.csv and maps.png.

    Args:
        folder: of the benchmark.
        baselines: names of the trivial baselines, first in the tables.
        stills: what was scored.
    """
    runs = _read_runs(folder, baselines)
    text = _markdown(runs, folder.name, stills)
    with explain_os_errors(folder):
        for name, content in (
            ("benchmark.md", text),
            ("benchmark.csv", runs.table.to_csv(index=False)),
        ):
            with whole_file(folder / name) as temporary:
                temporary.write_text(content, encoding="utf-8")
    write_maps(folder, _shown(runs, baselines), stills)
    logger.info(text)
    logger.info(f"wrote benchmark.md, benchmark.csv and maps.png into {folder}")


def _read_runs(folder: Path, baselines: Sequence[str]) -> Runs:
    names = [path.parent.parent.name for path in folder.glob("scores/*/planted/figures.csv")]
    order = {name: number for number, name in enumerate(baselines)}
    names.sort(key=lambda name: (order.get(name, len(order)), name))
    parts: list[pd.DataFrame] = []
    first: dict[str, str] = {}
    rules: dict[str, str] = {}
    for name in names:
        scores = folder / "scores" / name
        model = model_of(name)
        table = pd.read_csv(scores / "planted" / "figures.csv")
        table.insert(0, "model", model)
        table.insert(1, "run", name)
        parts.append(table)
        rule = json.loads((scores / "summary.json").read_text(encoding="utf-8"))["rule"]
        first.setdefault(model, name)
        rules[model] = _shown_rule(rule)
    return Runs(pd.concat(parts, ignore_index=True), list(first), first, rules)


def _shown_rule(rule: dict[str, Any]) -> str:
    kernel = f"{rule['kernel_px']} px" if rule["kernel_px"] else f"{rule['kernel_fraction']:g}"
    return f"kernel {kernel}" + (", background" if rule["background"] else "")


def _markdown(runs: Runs, name: str, stills: StillSummary) -> str:
    days, frames = stills.days, stills.frames
    lines = [
        f"# Benchmark of planted stills: {name}",
        "",
        f"Trained on {len(days['train'])} days ({frames['train']:,} frames), thresholds from "
        f"{len(days['calibrate'])} planted-free (the lowest threshold at which these show at most "
        "so many things a day), "
        f"tested on {len(days['test'])} ({frames['test']:,} frames, planted "
        f"{stills.objects:,} times in several rounds). In %, mean ± standard deviation over seeds; "
        "nothing chosen on the test days.",
        "",
        *_summary(runs),
        *_hindsight(runs),
        *_grid(runs),
        *_groups(runs),
        *_things(runs),
        *_periods(runs),
    ]
    return "\n".join(lines)


def _summary(runs: Runs) -> list[str]:
    """The first figure and what stands around it."""
    primary = runs.of("recall", PRIMARY_BUDGET, group="primary")
    count = int(primary["count"].iloc[0])
    shares = {
        **{f"recall, {b} a day": runs.of("recall", b, group="primary") for b in BUDGETS},
        "AUPRO 0.05": runs.of("aupro_05", group="primary"),
        "AUPRO 0.05, all": runs.of("aupro_05", group="all"),
        "frames in alarm": runs.of("frames_in_alarm", PRIMARY_BUDGET, group=CLEAN),
    }
    things = runs.of("things_per_day", PRIMARY_BUDGET, group=CLEAN)
    lines = table_head("model", "scoring", "seeds", "95 % interval", *shares, "things a day")
    for model in runs.models:
        own = primary[primary["model"] == model]
        low, high = wilson_interval(round(float(own["value"].mean()) * count), count)
        cells = [model, runs.rules[model], str(len(own)), f"{100 * low:.0f} to {100 * high:.0f}"]
        cells += [runs.cell(rows, model) for rows in shares.values()]
        lines.append(table_row(*cells, runs.cell(things, model, percent=False)))
    return [*lines, "", *_explained(count), ""]


def _explained(count: int) -> list[str]:
    """What the columns of the summary mean."""
    return [
        f"- recall: share of the {count:,} planted objects of at least {100 * PRIMARY_SIZE:g} % of "
        f"the frame height and {PRIMARY_CONTRAST:g} contrast that are found by a person who looks "
        "at so many things a day; an object is found if a thing has its peak on it, in a frame in "
        "which it stands, that was not there without it",
        f"- 95 % interval (Wilson, of the objects), frames in alarm and things a day (clean test "
        f"days; light and weather not counted): at {PRIMARY_BUDGET} a day",
        "- AUPRO 0.05: pixels of these objects, and of all (Bergmann 2020)",
        "- scoring: size of the kernel in frame heights, and whether places that are restless in "
        "normal footage weigh less; baselines have the rule of the first run in this folder, "
        "another rule needs another name=",
    ]


def _hindsight(runs: Runs) -> list[str]:
    """Recall against the number of things a day, whatever the calibration days were like."""
    lines = ["## Recall with hindsight", ""]
    lines += ["At thresholds that meet the budget on the clean test days themselves.", ""]
    lines += table_head("things a day", *runs.models)
    for budget in BUDGETS:
        rows = runs.of("recall_hindsight", budget)
        lines.append(table_row(str(budget), *(runs.cell(rows, model) for model in runs.models)))
    return [*lines, ""]


def _grid(runs: Runs) -> list[str]:
    """Recall by size and contrast, a table for each budget."""
    lines = []
    cells = runs.of("recall", PRIMARY_BUDGET, group="cell")
    first = cells[cells["run"] == cells["run"].iloc[0]]
    keys = list(zip(first["size"], first["contrast"], first["count"], strict=True))
    for budget in BUDGETS:
        lines += [f"## Recall at {budget} things a day, by size and contrast", ""]
        lines += table_head("size, contrast", "objects", *runs.models)
        for size, contrast, count in keys:
            rows = runs.of("recall", budget, group="cell", size=size, contrast=contrast)
            name = f"{100 * size:g} %, {contrast:g}"
            lines.append(
                table_row(name, f"{count:.0f}", *(runs.cell(rows, m) for m in runs.models))
            )
        lines.append("")
    return lines


def _groups(runs: Runs) -> list[str]:
    """Recall of the objects of the first figure by other properties."""
    rows = runs.of("recall", PRIMARY_BUDGET)
    rows = rows[~rows["group"].isin(["primary", "cell"])]
    lines = [f"## Recall at {PRIMARY_BUDGET} things a day, of the same objects, by kind", ""]
    lines += table_head("kind", "objects", *runs.models)
    for group in rows["group"].unique():
        own = rows[rows["group"] == group]
        count = f"{own['count'].iloc[0]:.0f}"
        lines.append(table_row(group, count, *(runs.cell(own, model) for model in runs.models)))
    return [*lines, ""]


def _things(runs: Runs) -> list[str]:
    """Things a day on the test days without objects, as they are and under nuisances."""
    lines = [
        f"## Things a day without anything planted, at a budget of {PRIMARY_BUDGET} "
        "(and events of light or weather a day; share of frames in alarm)",
        "",
    ]
    lines += table_head("test days", *runs.models)
    rates = runs.of("things_per_day", PRIMARY_BUDGET)
    for group in rates["group"].unique():
        rate, light, share = (
            runs.of(figure, PRIMARY_BUDGET, group=group)
            for figure in ("things_per_day", "light_per_day", "frames_in_alarm")
        )
        cells = (
            f"{runs.cell(rate, model, percent=False)} "
            f"(+ {runs.cell(light, model, percent=False)}; {runs.cell(share, model)} %)"
            for model in runs.models
        )
        lines.append(table_row(group, *cells))
    return [*lines, ""]


def _periods(runs: Runs) -> list[str]:
    lines = ["## Things that begin on clean test days, a day, by period", ""]
    lines += table_head("period", "budget", *runs.models)
    rows = runs.of("things_in_period")
    for group in rows["group"].unique():
        for budget in BUDGETS:
            own = rows[(rows["group"] == group) & (rows["budget"] == budget)]
            cells = (runs.cell(own, model, percent=False) for model in runs.models)
            lines.append(table_row(group, str(budget), *cells))
    return [*lines, ""]


def _shown(runs: Runs, baselines: Sequence[str]) -> list[str]:
    """A run of the best baseline and one of the best net, by recall, then by AUPRO."""
    recall = runs.of("recall", PRIMARY_BUDGET, group="primary").groupby("model")["value"].mean()
    aupro = runs.of("aupro_05", group="primary").groupby("model")["value"].mean()

    def worth(model: str) -> tuple[float, float]:
        return float(recall[model]), float(aupro[model])

    still = [model for model in runs.models if model in baselines]
    nets = [model for model in runs.models if model not in baselines]
    return [runs.first[max(models, key=worth)] for models in (still, nets) if models]
