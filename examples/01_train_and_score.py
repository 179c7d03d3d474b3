"""Learn what is normal, score new frames, and look at the result.

    python examples/01_train_and_score.py [NORMAL NEW]

NORMAL and NEW are folders of pictures, videos, zip files or patterns of one fixed camera.
"""

import sys

from street import street

import tlae

normal, new = sys.argv[1:] or (street() / "Train", street() / "Test")

quick = {"footage.size_hw": [96, 144]}  # as the street is drawn; leave it out for real footage
model = tlae.train(normal, out="checkpoints/example", settings=quick)

scores = tlae.score(model, new, budget=tlae.Budget(false_alarm_rate=0.05), out="scores/example")
print(scores.table[["clip", "frame", "time_s", "raw", "score", "threshold", "alarm"]].head())
for event in sorted(scores.events, key=lambda event: -(event.peak_raw or 0))[:5]:
    print(event.id, event.clip, f"frames {event.first_frame}-{event.last_frame}", event.box)
    print("      it", event.reason)

print("page:", tlae.report(scores))
print("videos:", *tlae.render(scores))
