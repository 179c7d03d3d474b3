"""tlae render scores=FOLDER [layout=side_by_side] [only_events=true] [frames=[120,121]].

Draws scores over the footage: heat on one fixed scale, box and contour of what is over the
threshold, score curve, clock, alarm. Writes into the scores folder: overlay.mp4 (or
overlay/<clip>.mp4 for several clips), H.264 that plays in a browser, and top_frames.png, a sheet of
the most anomalous frames. layout=timelapse makes one video of all clips instead, timelapse.mp4,
steady in footage time (hours_per_s=2) and slower near events (slow=4).
"""

from pathlib import Path

from tlae.config_scores import RenderConfig
from tlae.scoring.results import held_results, read_results
from tlae.workflows.render import render


def run(cfg: RenderConfig) -> None:
    """Render the videos, single frames and the sheet of a scored footage."""
    folder = Path(cfg.scores).expanduser()
    with held_results(folder):
        render(cfg, read_results(folder))
