"""tlae mask footage=PATH out=mask.yaml [restless=0.7] [samples=240].

Proposes what to ignore: overlaid clocks, and places that change nearly all the time. Writes a zones
file, and beside it a picture that shows it (mask_preview.png). Look at the picture, change the file
as you like, then train with footage.mask=mask.yaml or find events with zones=mask.yaml.
"""

from tlae.config import MaskConfig
from tlae.workflows.mask import propose_mask


def run(cfg: MaskConfig) -> None:
    """Footage in, zones file and preview out."""
    propose_mask(cfg)
