"""Events as the command line lists them."""

from collections import Counter
from collections.abc import Sequence

from tlae.scoring.events import SCENE, Event


def event_lines(events: Sequence[Event], most: int = 5) -> list[str]:
    """The most interesting ones, a line each; then what is wrong with the camera."""
    scenes = [event for event in events if event.kind == SCENE]
    lines = []
    for event in sorted(scenes, key=lambda e: (e.rank or len(events), -(e.peak_raw or 0.0)))[:most]:
        span = f"frames {event.first_frame}-{event.last_frame}"
        when = event.started_at or f"{event.start_s:.1f} s"
        where = f" in {event.zone}" if event.zone else ""
        kept = f", {event.what}" if event.what else ", stays" if event.stays else ""
        lines.append(
            f"  {event.id} {event.clip} {span}{where} (from {when}), peak "
            f"{event.peak_raw:.4g}{kept}"
        )
        if event.reason:
            lines.append(f"        it {event.reason}")
    troubles = Counter(event.health for event in events if event.kind != SCENE)
    return lines + [f"  camera {health}: {count} x" for health, count in troubles.items()]
