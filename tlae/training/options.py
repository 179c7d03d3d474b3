"""How a net is fitted, and what is planted into the clips that it learns from."""

import math
from dataclasses import dataclass, fields

from tlae.setting_rules import one_of, within

KINDS = ("fast", "reversed", "pasted", "still", "odd")  # of planted anomalies


@dataclass(frozen=True)
class FitOptions:
    """How a net is fitted.

    Attributes:
        learning_rate: peak, after the warm-up, > 0.
        warmup: share of all steps in which the rate rises, in [0, 1).
        weight_decay: of AdamW, >= 0.
        optimizer: adamw, adam.
        loss: squared, absolute.
    """

    learning_rate: float = 2e-3
    warmup: float = 0.1
    weight_decay: float = 1e-2
    optimizer: str = "adamw"
    loss: str = "squared"

    def __post_init__(self) -> None:
        within("training.learning_rate", self.learning_rate, 0, math.inf, open_low=True)
        within("training.warmup", self.warmup, 0, 0.999)
        within("training.weight_decay", self.weight_decay, 0)
        one_of("training.optimizer", self.optimizer, ("adamw", "adam"))
        one_of("training.loss", self.loss, ("squared", "absolute"))


@dataclass(frozen=True)
class Planting:
    """What is planted, in which share of the clips; the rest of them stays normal.

    Set to 0 what is normal at your camera, and the net is not taught to report it.

    Attributes:
        fast: plays at up to ``AnomalySegmenter.fastest`` times the normal speed.
        reversed: plays backwards.
        pasted: things of another moment, at another place and in another size.
        still: things of another moment that stand where they were walking.
        odd: things of another moment that glide by, stretched and stiff, at about the normal speed.
        mixed: share of all clips that get things of another moment as they are, which is normal.
        light: share of all clips in which the light changes, which is normal.
    """

    fast: float = 0.33
    reversed: float = 0.0
    pasted: float = 0.17
    still: float = 0.0
    odd: float = 0.0
    mixed: float = 0.15
    light: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            share = getattr(self, field.name)
            if not 0 <= share <= 1:
                raise ValueError(f"training.planted.{field.name} must be in [0, 1], got {share}")
        if not 0 < sum(self.kinds) <= 1 + 1e-9:
            raise ValueError(
                f"training.planted must leave the kinds {', '.join(KINDS)} a sum in (0, 1], got "
                f"{sum(self.kinds):g}"
            )

    @property
    def kinds(self) -> list[float]:
        """Shares in the order of ``KINDS``."""
        return [getattr(self, kind) for kind in KINDS]
