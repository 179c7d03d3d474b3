"""How much more footage a net with weights asks for."""

from tlae.workflows.train import more_frames_for


def test_a_share_of_the_further_footage_is_held_out_too() -> None:
    more = more_frames_for(1_000, learnt=514, of=600)
    assert (600 + more - 1) * 514 / 600 < 1_000 <= (600 + more) * 514 / 600
    assert more_frames_for(1_000, learnt=999, of=999) == 1
