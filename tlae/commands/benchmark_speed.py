"""tlae benchmark speed [models=[cae_small,segmenter]] [frames=256] [repeats=5] [out=speed].

Times every stage of scoring alone (decoding, the store, the net, maps, writing, encoding), the
whole beside its slowest stage, and training beside the plain loop of a notebook, on a drawn scene
as 720p video and as 1080p pictures. Read the ratios: all figures are of one run on one machine.
Writes <out>/speed.md, speed.csv and speed.svg.
"""

from tlae.lab.settings import SpeedConfig
from tlae.lab.speed.run import measure_speed


def run(cfg: SpeedConfig) -> None:
    """The speed of this machine."""
    measure_speed(cfg)
