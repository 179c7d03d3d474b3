"""The budget of false alarms: how much normal footage may raise an alarm."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from tlae.errors import UserError
from tlae.setting_rules import LARGE, share, within


@dataclass(frozen=True)
class Budget:
    """What makes an alarm. Where several are given, the strictest budget counts.

    Attributes:
        threshold: fixed alarm level in raw units; wins over the budgets.
        false_alarm_rate: share of normal frames that may be in alarm, in (0, 1).
        alarms_per_day: alarms (runs of frames) that a day of normal footage may raise, > 0.

    Raises:
        ValueError: a number is out of its range.

    Example:
        >>> from tlae import Budget
        >>> Budget(alarms_per_day=2).given()
        {'alarms_per_day': 2}
    """

    threshold: float | None = None
    false_alarm_rate: float | None = None
    alarms_per_day: float | None = None

    def __post_init__(self) -> None:
        within("scoring.threshold", self.threshold, -LARGE)
        share("scoring.false_alarm_rate", self.false_alarm_rate)
        within("scoring.alarms_per_day", self.alarms_per_day, 0, open_low=True)

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.given())

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Budget":
        """The budget among further settings; keys of others are ignored."""
        return cls(**{key: settings.get(key) for key in BUDGET_KEYS})

    def given(self) -> dict[str, float]:
        """What is asked for, by name; what is not given is left out."""
        values = {key: getattr(self, key) for key in BUDGET_KEYS}
        return {key: value for key, value in values.items() if value is not None}

    def require_consistent(self) -> None:
        """Refuse a fixed threshold beside a budget, which would have no effect.

        Raises:
            ValueError: both are given.
        """
        budgets = [f"scoring.{key}" for key in self.given() if key != "threshold"]
        if self.threshold is not None and budgets:
            raise ValueError(
                f"scoring.threshold={self.threshold:g} leaves nothing for {' and '.join(budgets)} "
                "to decide; give one of them"
            )


def require_budget(budget: Budget | None) -> Budget:
    """The budget; None is one that asks for nothing.

    Raises:
        UserError: it is something else.
    """
    if budget is not None and not isinstance(budget, Budget):
        raise UserError(
            f"budget must be a tlae.Budget, got {budget!r}; Budget(alarms_per_day=2) is"
        )
    return budget or Budget()


def budget_words(budget: Budget | None) -> dict[str, float]:
    """What is asked for, as settings of a command.

    Raises:
        UserError: it is no budget.
    """
    return {f"scoring.{key}": value for key, value in require_budget(budget).given().items()}


BUDGET_KEYS = tuple(field.name for field in fields(Budget))
