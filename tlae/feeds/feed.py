"""Look at a feed again and again; judge its new pictures, and keep those that are wanted."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tlae import __version__
from tlae.errors import UserError, refusing_bad_values
from tlae.feeds.asking import GONE, Answer, Asker, Unavailable
from tlae.feeds.interruptible import Stopped
from tlae.feeds.ledger import DUPLICATE, FILE, KEPT, LEFT, REFUSED, WAITING, Ledger
from tlae.feeds.parsing import Feed, NotAFeed, parse_feed
from tlae.feeds.picking import Picker
from tlae.feeds.settings import FeedConfig
from tlae.feeds.table import write_table
from tlae.http_client import without_password
from tlae.image_sets.image_filter import load_image_filter
from tlae.own_file import held_own_folder

MOST_FEED_BYTES = 10_000_000
LOOK_S = 1.0  # between two lines on a terminal

Show = Callable[[str], None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeedReport:
    """What became of pictures since the start.

    Attributes:
        folder: of those that were kept.
        kept, left, duplicates, refused: how many; see ``ledger.Row``.
        waiting: how many failed for now.
    """

    folder: Path
    kept: int
    left: int
    duplicates: int
    refused: int
    waiting: int


def read_feed(cfg: FeedConfig, stop: threading.Event, show: Show) -> FeedReport:
    """Judge the pictures of a feed as they appear.

    Args:
        cfg: settings.
        stop: set it to end; the same settings go on from there.
        show: takes a line about the state, about once a second.

    Raises:
        UserError: settings do not fit, the address gives no feed, or the folder cannot be used.
    """
    if not cfg.url.startswith(("http://", "https://")):
        raise UserError(f"url must begin with http:// or https://, got {cfg.url!r}; mend it")
    image_filter, models = load_image_filter(cfg)
    folder = Path(cfg.out).expanduser()
    with (
        held_own_folder(folder, FILE, "tlae feed"),
        closing(Ledger(folder)) as ledger,
        refusing_bad_values(),
    ):
        asker = Asker(
            feed=cfg.url,
            agent=cfg.user_agent or f"tlae/{__version__}",
            delay_s=cfg.delay_s,
            timeout_s=cfg.timeout_s,
            robots=cfg.robots,
            stop=stop,
        )
        picker = Picker(cfg, image_filter, models, asker, ledger)
        return _Reading(cfg, asker, picker, ledger, folder).run(stop, show)


class _Reading:
    """A feed that is read.

    Args:
        cfg: settings.
        asker: asks servers.
        picker: judges pictures.
        ledger: what became of them.
        folder: of the pictures that are kept.
    """

    def __init__(
        self, cfg: FeedConfig, asker: Asker, picker: Picker, ledger: Ledger, folder: Path
    ) -> None:
        self._cfg, self._asker, self._picker = cfg, asker, picker
        self._ledger, self._folder = ledger, folder
        self._shown = without_password(cfg.url)
        self._counts: Counter[str] = Counter()
        self._trouble = ""
        self._was_read = False
        self._ttl_s = 0.0

    def run(self, stop: threading.Event, show: Show) -> FeedReport:
        while not stop.is_set():
            show(f"{self._line()} | looking")
            before = sum(self._counts.values())
            try:
                self._look(stop, show)
            except Stopped:
                break
            finally:
                if sum(self._counts.values()) > before:
                    write_table(self._ledger, self._folder)
            if self._cfg.once:
                break
            self._wait(stop, show)
        count = self._counts
        return FeedReport(
            self._folder,
            kept=count[KEPT],
            left=count[LEFT],
            duplicates=count[DUPLICATE],
            refused=count[REFUSED],
            waiting=self._ledger.waiting(),
        )

    def _look(self, stop: threading.Event, show: Show) -> None:
        """Settle what is new; a feed that has a bad moment is looked at again later.

        Raises:
            UserError: it gave nothing so far, or is gone.
        """
        try:
            answer = self._asker.feed(self._ledger.conditions(self._shown), MOST_FEED_BYTES)
            feed = None if answer.is_unchanged else _parsed(answer)
        except (Unavailable, NotAFeed) as problem:
            is_gone = isinstance(problem, Unavailable) and problem.status == GONE
            if not self._was_read or is_gone:
                raise UserError(f"url {self._shown} {problem}") from problem
            if str(problem) != self._trouble:
                logger.warning("%s %s; trying again", self._shown, problem)
            self._trouble = str(problem)
            return
        if self._trouble:
            logger.warning("%s is back", self._shown)
        self._trouble, self._was_read = "", True
        if feed is not None:
            self._ttl_s = feed.ttl_s
            self._settle(feed, answer, stop, show)

    def _settle(self, feed: Feed, answer: Answer, stop: threading.Event, show: Show) -> None:
        if not any(entry.pictures for entry in feed.entries):
            logger.warning(
                "%s has no picture in any entry (%d); nothing to judge",
                self._shown,
                len(feed.entries),
            )
        is_whole = True
        for entry in feed.entries:
            if entry.id and self._ledger.is_done(entry.id):
                continue
            is_entry_whole = True
            for url in entry.pictures:
                if stop.is_set():
                    raise Stopped
                row = self._picker.settle(url, entry)
                if row is not None:
                    self._counts[row.state] += 1
                    is_entry_whole &= row.state != WAITING
                show(self._line())
            if entry.id and entry.pictures and is_entry_whole:
                self._ledger.done(entry.id)
            is_whole &= is_entry_whole
        if is_whole:  # else the whole feed is wanted again
            headers = answer.headers
            etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
            self._ledger.has_all_of(self._shown, etag, modified)

    def _wait(self, stop: threading.Event, show: Show) -> None:
        ends_s = time.monotonic() + max(self._cfg.interval_s, self._ttl_s)
        while (left_s := ends_s - time.monotonic()) > 0:
            show(f"{self._line()} | next look in {left_s:.0f} s")
            if stop.wait(min(left_s, LOOK_S)):
                return

    def _line(self) -> str:
        names = (KEPT, LEFT, DUPLICATE, REFUSED)
        parts = [f"{self._counts[name]:,} {name}" for name in names]
        return " | ".join([*parts, *([self._trouble] if self._trouble else [])])


def _parsed(answer: Answer) -> Feed:
    return parse_feed(answer.body, answer.kind, answer.url)
