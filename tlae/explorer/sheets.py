"""Sprite sheets of all items: made in the background, kept on disk."""

import logging
import threading
from pathlib import Path

from tlae.explorer.pictures import PER_SHEET, jpeg, thumbnail_sheet
from tlae.image_sets.item_pictures import Pictures
from tlae.whole_file import whole_file

logger = logging.getLogger(__name__)


class Sheets:
    """A thread that makes one sheet after the other, those asked for first.

    Args:
        pictures: of the items.
        folder: where sheets are kept, for these items alone.
        start_after_s: the map comes first.
    """

    def __init__(self, pictures: Pictures, folder: Path, start_after_s: float = 2.0) -> None:
        self.pictures, self.folder, self.start_after_s = pictures, folder, start_after_s
        self.count = -(-len(pictures.ids) // PER_SHEET)
        self.broken = ""  # why no sheet can be kept
        self._wanted: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._make_all, name="explorer-sheets", daemon=True)

    def start(self) -> None:
        """Begin in the background; sheets that lack pictures are tried again."""
        for path in self.folder.glob("*-*.jpg"):
            path.unlink(missing_ok=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when all sheets are made."""
        self._thread.join()

    def close(self) -> None:
        """Stop after the sheet that is being made."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def ready(self) -> list[int]:
        """Numbers of the sheets that are there."""
        return sorted(int(path.stem.partition("-")[0]) for path in self.folder.glob("*.jpg"))

    def missing(self) -> int:
        """Pictures that could not be read, on the sheets that are there."""
        return sum(int(path.stem.partition("-")[2]) for path in self.folder.glob("*-*.jpg"))

    def sheet(self, number: int) -> bytes | None:
        """A sheet as JPEG, or None while it is not made: it is then made next."""
        path = self._found(number)
        if path is not None:
            return path.read_bytes()
        self._wanted.append(number)
        return None

    def _make_all(self) -> None:
        self._stop.wait(self.start_after_s)
        for number in range(self.count):
            while self._wanted and not self._stop.is_set():
                self._make(self._wanted.pop())
            if self._stop.is_set() or self.broken:
                return
            self._make(number)

    def _make(self, number: int) -> None:
        if not 0 <= number < self.count or self._found(number):
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            image, missing = thumbnail_sheet(self.pictures, number)
            name = f"{number}-{missing}.jpg" if missing else f"{number}.jpg"
            with whole_file(self.folder / name) as temporary:
                temporary.write_bytes(jpeg(image))
        except OSError as error:  # a full disk: single pictures are still served
            self.broken = error.strerror or str(error)
            logger.warning("no more thumbnail sheets: %s", self.broken)

    def _found(self, number: int) -> Path | None:
        whole = self.folder / f"{number}.jpg"
        if whole.is_file():
            return whole
        return next(self.folder.glob(f"{number}-*.jpg"), None)
