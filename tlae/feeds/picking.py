"""One picture of a feed: fetched, compared with those before, judged, and kept or left."""

import io
import logging
import math
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from tlae.feeds.asking import Asker, Unavailable
from tlae.feeds.ledger import DUPLICATE, KEPT, LEFT, REFUSED, WAITING, Ledger, Row
from tlae.feeds.parsing import Entry
from tlae.feeds.settings import FeedConfig
from tlae.footage.frames import Image
from tlae.footage.images import Unreadable, decode_image
from tlae.image_sets.copies import Fingerprint, SeenPictures, fingerprint
from tlae.image_sets.image_filter import ImageFilter
from tlae.number_words import how_many
from tlae.plain_values import finite_or_none
from tlae.whole_file import explain_os_errors, whole_file

SUFFIXES = {  # by Pillow's names of formats
    **{"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"},
    **{"BMP": ".bmp", "TIFF": ".tif", "AVIF": ".avif"},
}
MOST_TRIES = 5  # at a picture that fails for reasons that may pass
NAME_LENGTH = 16  # of a file's name, hexadecimal digits of the SHA-256 of its bytes

logger = logging.getLogger(__name__)


class Picker:
    """Settle pictures, each once.

    Args:
        cfg: settings.
        image_filter: judges them.
        models: what it is made of, see ``load_image_filter``.
        asker: fetches them.
        ledger: what became of those before.

    Raises:
        UserError: a folder cannot be made.
    """

    def __init__(
        self,
        cfg: FeedConfig,
        image_filter: ImageFilter,
        models: dict[str, Any],
        asker: Asker,
        ledger: Ledger,
    ) -> None:
        self._cfg, self._filter, self._asker, self._ledger = cfg, image_filter, asker, ledger
        self._folders = {KEPT: Path(cfg.out).expanduser()}
        if cfg.left is not None:
            self._folders[LEFT] = left = Path(cfg.left).expanduser()
            with explain_os_errors(left):
                left.mkdir(parents=True, exist_ok=True)
        digests = [models["sha256"], *([models["filter"]["sha256"]] if "filter" in models else [])]
        self._models = "+".join(digests)
        self._seen: SeenPictures | None = None
        if cfg.duplicate_bits is not None:
            self._seen = SeenPictures(cfg.duplicate_bits)
        others = 0
        for row in ledger.judged():
            others += row.model != self._models
            if self._seen is not None and row.fingerprint is not None:
                self._seen.add(row.url, Fingerprint.of_bytes(row.fingerprint))
        if others:
            logger.warning(
                "judged by other models before, and left as it was: %s", how_many(others, "picture")
            )

    def settle(self, url: str, entry: Entry) -> Row | None:
        """Fetch and judge a picture; None where it was settled before.

        Raises:
            UserError: the disk takes nothing.
            Stopped: see ``Asker``.
        """
        before = self._ledger.row(url)
        if before is not None and before.state != WAITING:
            return None
        tries = 0 if before is None else before.tries
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = Row(url, WAITING, "", tries, now, entry.title, entry.published)
        try:
            answer = self._asker.picture(url, 1e6 * self._cfg.most_mb)
        except Unavailable as problem:
            row = _failed(row, problem)
        else:
            row = self._judged(row, answer.body)
        self._ledger.write(row)
        return row

    def _judged(self, row: Row, data: bytes) -> Row:
        row = replace(row, sha256=sha256(data).hexdigest())
        if (same := self._ledger.same_bytes(row.sha256)) is not None:
            return replace(row, state=DUPLICATE, same_as=same.url)
        try:
            suffix, image = self._decoded(data)
        except Unreadable as problem:
            return replace(row, state=REFUSED, reason=problem.reason)
        seen = fingerprint(image)
        if self._seen is not None and (known := self._seen.find(seen)) is not None:
            return replace(row, state=DUPLICATE, same_as=known)
        judged = self._filter.judge(image[None])
        if math.isnan(judged.scores[0]):
            return replace(row, state=REFUSED, reason="cannot be described")
        row = replace(
            row,
            state=KEPT if len(judged.kept) else LEFT,
            score=float(judged.scores[0]),
            filter_score=finite_or_none(float(judged.filter_scores[0])),
            model=self._models,
            fingerprint=seen.to_bytes(),
        )
        if (folder := self._folders.get(row.state)) is not None:
            row = replace(row, file=f"{row.sha256[:NAME_LENGTH]}{suffix}")
            with explain_os_errors(folder), whole_file(folder / row.file) as temporary:
                temporary.write_bytes(data)
        if self._seen is not None:
            self._seen.add(row.url, seen)
        return row

    def _decoded(self, data: bytes) -> tuple[str, Image]:
        """Suffix for a file of this kind, and the picture; a bomb is refused by its header.

        Raises:
            Unreadable: it is no picture to judge.
        """
        kind, (width, height) = _header(data)
        if kind not in SUFFIXES:
            raise Unreadable(f"is of the kind {kind}")
        if width * height > 1e6 * self._cfg.most_megapixels:
            raise Unreadable(f"has too many pixels, {width} x {height}")
        if min(width, height) < self._cfg.least_side_px:
            raise Unreadable(f"is too small, {width} x {height} pixels")
        return SUFFIXES[kind], decode_image(data)[0]


def _header(data: bytes) -> tuple[str, tuple[int, int]]:
    """Pillow's name of the format, and width and height in pixels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that are refused, and odd EXIF
            with Pillow.open(io.BytesIO(data)) as picture:
                return str(picture.format), picture.size
    except Pillow.DecompressionBombError as error:
        raise Unreadable("has too many pixels") from error
    except Exception as error:  # Pillow raises errors of every kind on damaged headers
        is_page = data.lstrip()[:1] == b"<"
        raise Unreadable("is a web page, not a picture" if is_page else "is no picture") from error


def _failed(row: Row, problem: Unavailable) -> Row:
    """A picture that could not be fetched: it waits, or is given up."""
    tries = row.tries + (not problem.is_busy)
    if problem.may_come_back and tries < MOST_TRIES:
        return replace(row, reason=str(problem), tries=tries)
    reason = f"{problem}, {how_many(tries, 'time')}" if problem.may_come_back else str(problem)
    return replace(row, state=REFUSED, reason=reason, tries=tries)
