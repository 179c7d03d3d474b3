"""The one sentence of an evaluation, and what follows from it."""

from tlae.evaluation.event_metrics import DAY_HOURS, LabelledTimeline
from tlae.evaluation.runs import count_false
from tlae.number_words import how_many

FAR_OFF = 3.0  # times what was asked for, from which the threshold is said not to hold


def verdict(line: LabelledTimeline, asked: dict[str, float], auc: float | None) -> str:
    """How many events are found, and at what price beside the one that was asked for.

    Args:
        line: scores, labels and alarms.
        asked: the budget: ``false_alarm_rate``, ``alarms_per_day``.
        auc: ROC AUC of the raw scores, told where no alarm is known; None: not defined.
    """
    if line.alarmed is None:
        if auc is None:
            return "No alarm threshold is known, and the labels hold one class only."
        return (
            f"No alarm threshold is known; an anomalous frame scores higher than a normal one in "
            f"{_percent(auc)} of all pairs."
        )
    events = len(line.events)
    found = f"Finds {line.found:,} of {how_many(events, 'event')}"
    if not events:
        found = "No event is labelled"
    return f"{found}; {_price(line, asked)}."


def advice(line: LabelledTimeline, asked: dict[str, float]) -> str:
    """What to do where the threshold does not hold on this footage; "" where it does."""
    wanted, rate = asked.get("false_alarm_rate"), line.normal_alarm_rate
    if not wanted or rate is None or rate <= FAR_OFF * wanted:
        return ""
    return (
        "The threshold does not hold on this footage. Calibrate it on normal footage of these "
        "conditions: tlae calibrate model_file=... footage=..."
    )


def _price(line: LabelledTimeline, asked: dict[str, float]) -> str:
    rate = line.normal_alarm_rate
    if rate is None:
        return "no frame is normal, so none alarms falsely"
    wanted, a_day = asked.get("false_alarm_rate"), asked.get("alarms_per_day")
    price = f"{_percent(rate)} of normal frames alarm"
    if wanted is not None:
        return f"{price} where {_percent(wanted)} was asked"
    if a_day is not None and line.hours and line.alarms is not None:
        false = count_false(line.alarms, line.labels)
        counted = f"{how_many(false, 'false alarm')} in {line.hours:.3g} h"
        allowed = a_day / DAY_HOURS * line.hours
        return f"{counted} where {allowed:.2g} {'was' if allowed == 1 else 'were'} asked ({price})"
    return price


def _percent(share: float) -> str:
    """No more digits than matter: ``0.1 %``, ``10 %``, ``98.7 %``."""
    percent = 100 * share
    if percent < 10:
        return f"{percent:.2g} %"
    return f"{percent:.0f} %" if percent <= 90 else f"{percent:.1f} %"
