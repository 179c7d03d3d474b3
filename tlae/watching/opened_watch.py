"""Open the model, the camera and the folder of a watch, so that it can begin."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tlae.errors import refusing_bad_values
from tlae.own_file import held_own_folder
from tlae.scorable import load_scorable
from tlae.watching.address import address_of
from tlae.watching.process import limit_threads
from tlae.watching.settings import WatchConfig
from tlae.watching.store import FILE, Store
from tlae.watching.watch import Show, Watch, WatchReport


@contextmanager
def opened_watch(cfg: WatchConfig) -> Iterator[Watch]:
    """A watch of one camera that can begin; it holds its folder.

    Args:
        cfg: settings.

    Raises:
        UserError: settings do not fit, the camera cannot be opened, or the folder is taken.
    """
    model = load_scorable(Path(cfg.model_file).expanduser())
    limit_threads(cfg.threads)
    address = address_of(cfg.camera.path, cfg.camera.open_timeout_s)
    folder = Path(cfg.out).expanduser()
    with (
        held_own_folder(folder, FILE, "tlae watch"),
        closing(Store(folder)) as store,
        refusing_bad_values(),
    ):
        yield Watch(cfg, model, address, store, folder)


def watch(cfg: WatchConfig, stop: threading.Event, show: Show) -> WatchReport:
    """Watch a camera; see ``opened_watch`` and ``Watch.run``."""
    with opened_watch(cfg) as opened:
        return opened.run(stop, show)
