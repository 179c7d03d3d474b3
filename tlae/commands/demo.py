"""tlae demo [out=demo] [model=segmenter].

Makes a synthetic street with known anomalies, trains on its normal part, scores and renders the
rest, and says how the planted anomalies rank. Needs no footage and no network.
"""

from tlae.lab.demo import demo
from tlae.lab.settings import DemoConfig


def run(cfg: DemoConfig) -> None:
    """Synthetic footage in, report and overlay videos out."""
    demo(cfg)
