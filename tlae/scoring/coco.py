"""Boxes of events as COCO annotations, for tools that label and train on pictures."""

from collections.abc import Sequence
from typing import Any

from tlae.scoring.events import SCENE, Event
from tlae.table import Table

CATEGORY = 1


def coco_of(events: Sequence[Event], table: Table) -> dict[str, Any]:
    """Peak frames of scene events and their boxes (Lin et al. 2014, *Microsoft COCO*).

    Args:
        events: of one footage; hidden ones are left out.
        table: its score table.
    """
    scenes = [event for event in events if event.kind == SCENE and not event.hidden_by]
    frames = sorted({(event.clip, event.peak_frame) for event in scenes})
    number = {frame: i for i, frame in enumerate(frames, start=1)}
    columns = (table[name].tolist() for name in ("clip", "frame", "path", "source_w", "source_h"))
    facts = {
        (clip, frame): {"file_name": path, "width": width, "height": height}
        for clip, frame, path, width, height in zip(*columns, strict=True)
        if (clip, frame) in number
    }
    images = [facts[frame] | {"id": number[frame], "frame": frame[1]} for frame in frames]
    annotations = [
        {
            "id": i,
            "image_id": number[event.clip, event.peak_frame],
            "category_id": CATEGORY,
            "bbox": list(event.box),
            "area": event.box[2] * event.box[3],
            "iscrowd": 0,
            "score": event.peak_raw,
            "event": event.id,
        }
        for i, event in enumerate(scenes, start=1)
    ]
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": CATEGORY, "name": "anomaly"}],
    }
