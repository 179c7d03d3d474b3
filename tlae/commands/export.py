"""tlae export model_file=PATH [out=gate.onnx] [engine=fastest].

Writes a trained model as one ONNX file, with preprocessing, camera, calibration and scoring rule in
its metadata. `tlae score` and `tlae watch` take it as they take the trained model, and need no
torch for it. The file is written only if its maps and scores equal those of torch to 1e-4.
"""

import shlex
from pathlib import Path

from tlae.exporting.export import export
from tlae.exporting.settings import ExportConfig
from tlae.number_words import per_second
from tlae.scoring.answers import carry_answers


def run(cfg: ExportConfig) -> None:
    """Export a trained model."""
    report = export(cfg)
    for check in report.checks:
        if check.frames_per_s is None or check.difference is None:
            print(f"  {check.name}: cannot run this net ({check.trouble})")
        else:
            pace = f"{per_second(check.frames_per_s)} frames/s here"
            print(f"  {check.name}: differs from torch by {check.difference:.1g}, {pace}")
    assert report.model.file is not None
    carry_answers(Path(cfg.model_file).expanduser(), report.model.file)
    print(f"exported {report.size / 1e6:.1f} MB, to be run by {report.engine}")
    print(f"model:   {report.model.file}")
    print(f"next:    tlae score {shlex.quote(f'model_file={report.model.file}')} footage=...")
