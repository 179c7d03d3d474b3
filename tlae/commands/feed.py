"""tlae feed url=URL model_file=FILE out=FOLDER [filter=FILE] [once=true].

Judges new pictures of an RSS, Atom or JSON feed: those that the model of `tlae novelty fit` calls
normal and, where one is given, the filter of `tlae filter fit` calls good, are kept. Writes <out>/:
the pictures as they were sent, pictures.csv (what became of each, with scores), feed.sqlite (what
is known, so that nothing is judged twice). Ctrl+C or SIGTERM ends it, the same command continues.
"""

import signal
import threading

from tlae.commands.state_line import state_line
from tlae.feeds.feed import read_feed
from tlae.feeds.settings import FeedConfig
from tlae.watching.process import json_log, signals_caught


def run(cfg: FeedConfig) -> None:
    """Look at the feed until a signal comes, or once."""
    stop, is_plain = threading.Event(), cfg.log == "plain"
    with signals_caught(stop) as caught, json_log(not is_plain):
        report = read_feed(cfg, stop, state_line(is_shown=is_plain))
    if signal.SIGINT in caught:
        raise KeyboardInterrupt
    if is_plain:
        print(
            f"done: kept {report.kept:,}, left {report.left:,}, duplicates {report.duplicates:,}, "
            f"refused {report.refused:,}, in {report.folder}"
        )
        if report.waiting:
            print(f"{report.waiting:,} failed for now; the same command tries them again")
