"""tlae watch model_file=PATH camera=ADDRESS out=FOLDER [webhook.url=URL] [command.run=[a,b]].

Watches a camera as its frames arrive, and says at once what is unusual. camera is rtsp://, udp://,
http:// or https:// (a stream, or a picture that is asked for again and again), the number of a USB
camera, a folder that fills, or a video file. Writes <out>/: events.jsonl (one message a line: an
event is new, goes on, is over), snapshots/ (each event at its worst), status.json (frames, latency,
age of the last frame, outbox), watch.sqlite (what a restart goes on from). Messages go to a
webhook, a program or an MQTT broker as well; one that is down gets them later. Ctrl+C or SIGTERM
ends it, the same command continues.
"""

import signal
import threading

from tlae.commands.state_line import state_line
from tlae.number_words import how_many
from tlae.watching.opened_watch import opened_watch
from tlae.watching.process import json_log, signals_caught
from tlae.watching.settings import WatchConfig


def run(cfg: WatchConfig) -> None:
    """Watch until a signal comes or a file ends."""
    stop, is_plain = threading.Event(), cfg.log == "plain"
    with json_log(not is_plain), opened_watch(cfg) as opened, signals_caught(stop) as caught:
        report = opened.run(stop, state_line(is_shown=is_plain))
    if signal.SIGINT in caught:
        raise KeyboardInterrupt
    if is_plain:
        losses = {"dropped": report.dropped, "left out": report.unreadable}
        lost = "".join(f", {count:,} {name}" for name, count in losses.items() if count)
        print(
            f"done: {how_many(report.scored, 'frame')} scored{lost}, events: {report.events:,}, in "
            f"{report.folder}"
        )
        if report.hidden:
            print(
                f"hidden by your answers: {report.hidden:,} of {how_many(report.events, 'event')}; "
                "no receiver is notified, events.jsonl has them with hidden_by "
                "(answers=false hides none)"
            )
        if report.waiting:
            left = how_many(report.waiting, "message")
            print(f"still to be sent: {left}; the same command goes on with it")
