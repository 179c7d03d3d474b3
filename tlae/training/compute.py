"""Which arithmetic is fastest here: measured, not guessed from the name of the chip."""

import copy
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from tlae.errors import UserError
from tlae.models.standardised import Standardised

TIMED_STEPS = 3
TIMED_WINDOWS = 4  # enough to tell the variants apart


@dataclass(frozen=True)
class Compute:
    """Precision of the net's arithmetic and memory layout of its pictures.

    Attributes:
        precision: "float32" or "bfloat16" (autocast; weights and losses stay float32).
        channels_last: whether channels of a pixel lie next to each other.
    """

    precision: str = "float32"
    channels_last: bool = False

    def __str__(self) -> str:
        return self.precision + ("+channels_last" if self.channels_last else "")

    @classmethod
    def parse(cls, text: str) -> "Compute":
        """What ``str`` made.

        Raises:
            ValueError: it made no such text.
        """
        for choice in CHOICES:
            if str(choice) == text:
                return choice
        raise ValueError(f"no arithmetic is called {text!r}")

    @property
    def lightning_precision(self) -> str:
        """Name of the precision in Lightning's Trainer."""
        return {"float32": "32-true", "bfloat16": "bf16-mixed"}[self.precision]


CHOICES = [Compute(p, last) for p in ("float32", "bfloat16") for last in (False, True)]


def choose_compute(wanted: str, net: Standardised, clip: Tensor, device: torch.device) -> Compute:
    """The wanted variant, or for "auto" the one whose training steps are fastest.

    Args:
        wanted: "auto", or one of float32, bfloat16, each also with "+channels_last".
        net: net to train; left as it is.
        clip: (B, C, T, H, W) in [0, 1], an example of its input.
        device: where it will run.
    """
    known = {str(choice): choice for choice in CHOICES}
    if wanted in known:
        return known[wanted]
    if wanted != "auto":
        raise UserError(
            f"training.compute must be auto or one of {', '.join(known)}, got {wanted!r}"
        )
    seconds = {choice: _step_seconds(choice, net, clip, device) for choice in CHOICES}
    return min(CHOICES, key=lambda choice: seconds[choice])


def _step_seconds(choice: Compute, net: Standardised, clip: Tensor, device: torch.device) -> float:
    """Fastest of a few training steps, after one to warm up."""
    trial = copy.deepcopy(net).to(device).train()
    if choice.channels_last:
        trial = trial.to(memory_format=torch.channels_last)
    clip = clip[:TIMED_WINDOWS].to(device)
    seconds = []
    for _ in range(1 + TIMED_STEPS):
        start = time.perf_counter()
        with torch.autocast(
            device.type, dtype=torch.bfloat16, enabled=choice.precision == "bfloat16"
        ):
            answer = trial.logits(clip) if net.segments else trial(clip)
        answer.float().square().mean().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
