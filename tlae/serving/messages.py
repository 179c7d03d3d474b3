"""What requests and answers hold."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tlae.budget import Budget
from tlae.errors import refusing_bad_values
from tlae.live.score import LiveScore
from tlae.plain_values import finite_or_none
from tlae.scoring.events import Event
from tlae.scoring.thing_kinds import until_words
from tlae.serving.sessions import Session

Facts = dict[str, Any]


class BudgetMessage(BaseModel):
    """What makes an alarm; nothing given: as the model was trained. See ``tlae.Budget``."""

    model_config = ConfigDict(extra="forbid")

    threshold: float | None = Field(None, allow_inf_nan=False, description="in raw units")
    false_alarm_rate: float | None = Field(
        None, gt=0, lt=1, description="share of normal frames that may be in alarm"
    )
    alarms_per_day: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="alarms that a normal day may raise"
    )

    def budget(self) -> Budget | None:
        """The budget; None where nothing is given.

        Raises:
            UserError: a fixed threshold beside a budget, or a number out of its range.
        """
        with refusing_bad_values():
            budget = Budget(self.threshold, self.false_alarm_rate, self.alarms_per_day)
            budget.require_consistent()
        return budget or None


class NewSession(BudgetMessage):
    """A camera to be watched."""

    model: str = Field(max_length=200, description="id of a model of a camera")
    name: str = Field("", max_length=100, description="for people; empty: the model's id")
    interval_s: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="median time between frames; null: as trained"
    )


class OtherModel(BaseModel):
    """A model to score by from now on."""

    model: str = Field(max_length=200, description="id of a model of a camera")


class MarkMessage(BaseModel):
    """What an event was."""

    mark: Literal["normal", "wanted"] | None = Field(description="null: not said")


def event_facts(event: Event) -> Facts:
    """An event as in ``events.json``."""
    facts: Facts = plain(event.as_json())
    return facts


def verdict_facts(seen: LiveScore) -> Facts:
    """What is said of a picture without a session."""
    numbers = {name: finite_or_none(getattr(seen, name)) for name in ("raw", "score", "threshold")}
    words = {name: getattr(seen, name) for name in ("alarm", "reason", "mode", "health", "state")}
    return numbers | words


def session_events(session: Session) -> list[Facts]:
    """Events of a session, the newest first.

    ``seen_now``: the newest frame shows it; ``until``: what became of a thing's place, in words.
    """
    newest = session.frames - 1
    return [
        event_facts(event)
        | {"goes_on": goes_on, "has_snapshot": has_snapshot}
        | {"seen_now": goes_on and event.last_frame == newest}
        | {"until": until_words(event, so_far=goes_on)}
        | {"mark": session.marks.get(event.id) or None}
        for event, goes_on, has_snapshot in session.events()
    ]


def plain(value: Any) -> Any:
    """Numbers that JSON cannot say become null, at any depth."""
    if isinstance(value, float):
        return finite_or_none(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
