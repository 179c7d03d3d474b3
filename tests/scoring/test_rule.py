from dataclasses import asdict
from pathlib import Path

import pandas as pd

from tlae.scoring.results import Scores
from tlae.scoring.rule import ScoringRule, completed


def test_a_field_that_did_not_exist_yet_is_what_was_done_then() -> None:
    assert completed({"kernel_px": 5}) == {"kernel_px": 5, "match_light": False}
    assert completed({"match_light": True}) == {"match_light": True}


def test_what_is_no_rule_is_left_to_be_refused() -> None:
    assert completed(None) is None
    assert completed([1]) == [1]


def test_scores_from_before_the_light_was_matched_know_their_rule() -> None:
    stored = asdict(ScoringRule(causal=False))
    del stored["match_light"]
    scores = Scores(Path("scores"), pd.DataFrame(), {"rule": stored}, [])
    assert scores.rule == ScoringRule(causal=False, match_light=False)
