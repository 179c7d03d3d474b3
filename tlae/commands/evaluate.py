"""tlae evaluate scores=FOLDER labels=LABELS [column=error] [interval_s=0.1].

Measures scores against labels under every protocol in use, each named in full, the ROC AUC of
unscaled scores over all frames first. Scores: a folder written by `tlae score`, or any CSV or
Parquet table with clip, frame, score and perhaps label. Labels: a UCSD folder or .m file, mask
folders, Avenue's .mat files, a CSV, a COCO JSON, or the word normal. Writes report.html,
measures.csv and measures.json into <scores>/evaluation/ (for a table: <table>-evaluation/).
"""

from itertools import groupby

from tlae.config_scores import EvaluateConfig
from tlae.evaluation.evaluation import Evaluation
from tlae.evaluation.report import LEVELS
from tlae.workflows.evaluate import measured, write_report


def run(cfg: EvaluateConfig) -> None:
    """Measure, print, and write the report."""
    evaluation = measured(cfg)
    report = write_report(evaluation, cfg)
    _print_measures(evaluation)
    print(f"\nreport: {report}")


def _print_measures(evaluation: Evaluation) -> None:
    print(f"{evaluation.verdict}\n{evaluation.scored.name}: {evaluation.subject}")
    for note in filter(None, (evaluation.advice, *evaluation.notes)):
        print(f"  note: {note}")
    for level, measures in groupby(evaluation.measures, key=lambda measure: measure.level):
        print(f"\n{LEVELS[level]}")
        for measure in measures:
            interval = f"[{measure.shown_interval}]" if measure.interval else ""
            print(f"  {measure.shown:>12} {interval:<16} {measure.name}; {measure.basis}")
