"""tlae export model_file=PATH [out=gate.onnx] [engine=fastest] [precision=int8 footage=PATH].

Writes a trained model as one ONNX file, with preprocessing, camera, calibration and scoring rule in
its metadata. `tlae score` and `tlae watch` take it as they take the trained model, and need no
torch for it. The file is written only if its maps and scores equal those of torch to 1e-4. With
precision=int8, convolutions calculate in 8 bits, and normal footage is scored to calibrate them.
"""

import shlex
from pathlib import Path

from tlae.exporting.export import ExportReport, export
from tlae.exporting.settings import ExportConfig
from tlae.number_words import per_second
from tlae.scoring.answers import carry_answers
from tlae.workflows.calibrate import threshold_under


def run(cfg: ExportConfig) -> None:
    """Export a trained model."""
    report = export(cfg)
    for check in report.checks:
        if check.frames_per_s is None or check.difference is None:
            print(f"  {check.name}: cannot run this net ({check.trouble})")
        else:
            pace = f"{per_second(check.frames_per_s)} frames/s here"
            print(f"  {check.name}: differs from torch by {check.difference:.1g}, {pace}")
    for line in _int8_lines(report):
        print(line)
    assert report.model.file is not None
    carry_answers(Path(cfg.model_file).expanduser(), report.model.file)
    print(f"exported {report.size / 1e6:.1f} MB, to be run by {report.engine}")
    print(f"model:   {report.model.file}")
    print(f"next:    tlae score {shlex.quote(f'model_file={report.model.file}')} footage=...")


def _int8_lines(report: ExportReport) -> list[str]:
    """What 8 bits changed."""
    if (check := report.int8) is None:
        return []
    before, now = (
        threshold_under(report.model.rule, one.calibration, one.budget)
        for one in (report.trained, report.model)
    )
    return [
        f"  int8: {check.gain:.2f} times as fast as float32 in processor time; scores of "
        f"{check.frames:,} normal frames differ by at most {check.difference:.2g}, the highest is "
        f"{check.highest:.2g}",
        f"  threshold {now.value:.4g} on {len(report.model.calibration.raw):,} frames of this "
        f"footage, {before.value:.4g} of the trained model; one that is much lower comes of "
        "footage that the net learnt from",
    ]
