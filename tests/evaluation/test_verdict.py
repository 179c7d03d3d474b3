"""The one sentence of an evaluation."""

import numpy as np
import pytest

from tlae.evaluation.event_metrics import LabelledTimeline
from tlae.evaluation.verdict import advice, verdict
from tlae.rendering.strength import ratio_text, share_text, strength_text


def line(labels: str, alarms: str | None, interval_s: float | None = 3600.0) -> LabelledTimeline:
    """One clip from two rows of signs: ``#`` is anomalous, or in alarm."""
    flags = np.array([sign == "#" for sign in labels])
    alarm = None if alarms is None else np.array([sign == "#" for sign in alarms])
    count = len(flags)
    return LabelledTimeline(np.zeros(count), flags, np.zeros(count, int), alarm, interval_s)


@pytest.mark.parametrize(
    ("labels", "alarms", "asked", "said"),
    [
        (
            "..##..##....",
            "..#.......#.",
            {"false_alarm_rate": 0.001},
            "Finds 1 of 2 events; 12 % of normal frames alarm where 0.1 % was asked.",
        ),
        ("..#.", "..#.", {}, "Finds 1 of 1 event; 0 % of normal frames alarm."),
        (
            "##" + 22 * ".",
            "#." + 18 * "." + "#...",
            {"alarms_per_day": 1.0},
            "Finds 1 of 1 event; 1 false alarm in 24 h where 1 was asked (4.5 % of normal frames "
            "alarm).",
        ),
        ("....", "#...", {}, "No event is labelled; 25 % of normal frames alarm."),
        ("####", ".#..", {}, "Finds 1 of 1 event; no frame is normal, so none alarms falsely."),
        (
            "..##",
            None,
            {},
            "No alarm threshold is known; an anomalous frame scores higher than a normal one in "
            "75 % of all pairs.",
        ),
    ],
)
def test_the_verdict_says_what_is_found_and_at_what_price(
    labels: str, alarms: str | None, asked: dict[str, float], said: str
) -> None:
    assert verdict(line(labels, alarms), asked, 0.75) == said


def test_a_threshold_that_does_not_hold_is_said_to_with_the_cure() -> None:
    asked = {"false_alarm_rate": 0.1}
    assert "tlae calibrate" in advice(line("....#", "##..#"), asked)
    assert advice(line(10 * "." + "#", "##........#"), asked) == ""


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.94, "1.9"), (0.999, "1.00"), (1.004, "1.00"), (0.97, "0.97"), (14, "14")]
)
def test_ratios_are_rounded_to_what_matters(ratio: float, text: str) -> None:
    assert ratio_text(ratio) == text


def test_a_strength_is_a_multiple_of_the_threshold_where_there_is_one() -> None:
    assert strength_text(3.0, 1.5) == "2.0\u00d7 threshold"
    assert strength_text(0.0314, float("inf")) == "score 0.0314"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.5, "above 50 % of normal"),
        (0.9994, "above 99.9 % of normal"),
        (0.99999, "above 99.999 % of normal"),
        (1.0, "above all known normal footage"),
    ],
)
def test_a_share_is_never_said_too_high(share: float, text: str) -> None:
    assert share_text(share) == text
