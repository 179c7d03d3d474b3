"""Ask what is scored already again: other places, another budget, other rules of what is an event.

    python examples/03_zones_and_events.py

Needs the scores that 01_train_and_score.py leaves in scores/example. No net is run.
"""

from pathlib import Path

import tlae

ZONES = """
zones:
  left:
    points: [[0.0, 0.3], [0.5, 0.3], [0.5, 1.0], [0.0, 1.0]]
  right:
    points: [[0.5, 0.3], [1.0, 0.3], [1.0, 1.0], [0.5, 1.0]]
    false_alarm_rate: 0.001
ignore:
  sky: [[0.0, 0.0], [1.0, 0.0], [1.0, 0.2], [0.0, 0.2]]
"""

Path("zones.yaml").write_text(ZONES, encoding="utf-8")
scores = tlae.find_events(
    tlae.open_scores("scores/example"),
    budget=tlae.Budget(false_alarm_rate=0.05),
    zones="zones.yaml",
    settings={"min_duration_s": 0.3, "merge_s": 1.0},
)
print(f"events in the zones: {len(scores.events)}")
for event in scores.events:
    print(event.id, event.zone, event.clip, f"{event.start_s:.1f} to {event.end_s:.1f} s")
