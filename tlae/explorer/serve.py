"""Serve the map of described pictures, or export it as one page."""

import logging
import socket
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tlae.errors import UserError
from tlae.explorer.collection import Collection, open_collection
from tlae.explorer.explorer import Explorer
from tlae.explorer.export import export_html
from tlae.explorer.job_store import Job
from tlae.explorer.listening import address_of, listen
from tlae.explorer.settings import ExploreConfig
from tlae.explorer.sheets import Sheets
from tlae.image_sets.item_pictures import pictures_of
from tlae.own_file import read_page, require_own
from tlae.whole_file import explain_os_errors, whole_file

logger = logging.getLogger(__name__)


def explore(cfg: ExploreConfig) -> None:
    """Serve the page until interrupted, or write it."""
    if cfg.export:
        with Explorer(opened_collection(cfg.descriptors, cfg.descriptor, cfg.labels)) as explorer:
            _export(explorer, Path(cfg.export).expanduser())
        return
    collection = opened_collection(cfg.descriptors, cfg.descriptor, cfg.labels)
    _require_server()
    with (
        listen(cfg.host, cfg.port) as listening,
        explored(collection, cfg.processes) as (explorer, sheets),
    ):
        _serve(explorer, sheets, listening, cfg)


def opened_collection(descriptors: str, descriptor: str | None, labels: str | None) -> Collection:
    """What settings name, see ``ExploreConfig``; notes on it are logged.

    Raises:
        UserError: the folder or the labels cannot be used.
    """
    table = Path(labels).expanduser() if labels else None
    collection = open_collection(Path(descriptors).expanduser(), descriptor, table)
    for note in collection.notes:
        logger.info(f"note: {note}")
    return collection


@contextmanager
def explored(collection: Collection, processes: int = 1) -> Iterator[tuple[Explorer, Sheets]]:
    """The actions on a collection, and its thumbnails, which are made in the background."""
    with Explorer(collection, processes) as explorer:
        explorer.map("pca", 2)  # so that the page has something to draw at once
        sheets = Sheets(
            pictures_of(collection.descriptors.ids, collection.descriptors.facts),
            explorer.store.arrays / f"sheets-{collection.key}",
        )
        sheets.start()
        try:
            yield explorer, sheets
        finally:
            sheets.close()


def _export(explorer: Explorer, page: Path) -> None:
    if page.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"export must be a file ending in .html, got {page}")
    coordinates = explorer.map("pca", 2)
    assert not isinstance(coordinates, Job)  # PCA is computed at once
    require_own(page, read_page, "a page of tlae", "export")
    with explain_os_errors(page), whole_file(page) as temporary:
        temporary.write_text(
            export_html(explorer, explorer.start, coordinates, "pca"), encoding="utf-8"
        )
    logger.info(f"page: {page} ({page.stat().st_size / 1e6:.1f} MB)")


def _require_server() -> None:
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"explore needs the web server, {error.name} is not installed; "
            "pip install 'tlae[serve]', or give export=page.html, which needs none"
        ) from error


def _serve(
    explorer: Explorer, sheets: Sheets, listening: socket.socket, cfg: ExploreConfig
) -> None:
    import uvicorn

    from tlae.explorer.api import explorer_app
    from tlae.explorer.guard import is_loopback

    url = address_of(listening)
    host = listening.getsockname()[0]
    if not is_loopback(host):
        logger.info(
            f"warning: everyone who can reach {host} sees these pictures and can start jobs; "
            "there is no password. host=127.0.0.1 keeps it to this machine"
        )
    logger.info(f"page: {url}  (HTTP API: {url}docs; Ctrl+C ends it)")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    app = explorer_app(explorer, sheets, cfg.host)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    if cfg.open:
        threading.Timer(0.5, webbrowser.open, [url]).start()
    server.run(sockets=[listening])
