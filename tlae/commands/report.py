"""tlae report scores=FOLDER [top=24] [footage=PATH] [out=FILE].

Writes one HTML page of what was unusual and when: a timeline of the score, the strongest events
with their pictures, a calendar, a keogram (one column per frame). <scores>/report.html opens from
disk, needs no network and can be sent to someone. Where the footage is gone, the page is
made without pictures.
"""

from contextlib import nullcontext
from pathlib import Path

from tlae.config_scores import ReportConfig
from tlae.scoring.results import held_results, read_results
from tlae.workflows.report import page_path, report


def run(cfg: ReportConfig) -> None:
    """Write the report of a scored footage."""
    folder = Path(cfg.scores).expanduser()
    path = page_path(cfg, cfg.out)
    scores = read_results(folder)
    with nullcontext() if cfg.out else held_results(folder):
        report(cfg, scores, path)
    print(f"report: {path} ({path.stat().st_size / 1e3:,.0f} kB)")
