"""Serve the map of described pictures, or export it as one page."""

import logging
import socket
import threading
import webbrowser
from pathlib import Path

from tlae.errors import UserError
from tlae.explorer.collection import open_collection
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
    labels = Path(cfg.labels).expanduser() if cfg.labels else None
    collection = open_collection(Path(cfg.descriptors).expanduser(), cfg.descriptor, labels)
    for note in collection.notes:
        logger.info(f"note: {note}")
    if cfg.export:
        with Explorer(collection) as explorer:
            _export(explorer, Path(cfg.export).expanduser())
        return
    _require_server()
    listening = listen(cfg.host, cfg.port)
    with listening, Explorer(collection, cfg.processes) as explorer:
        sheets = Sheets(
            pictures_of(collection.descriptors.ids, collection.descriptors.facts),
            explorer.store.arrays / f"sheets-{collection.key}",
        )
        _serve(explorer, sheets, listening, cfg)


def _export(explorer: Explorer, page: Path) -> None:
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

    explorer.map("pca", 2)  # so that the page has something to draw at once
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
    sheets.start()
    if cfg.open:
        threading.Timer(0.5, webbrowser.open, [url]).start()
    try:
        server.run(sockets=[listening])
    finally:
        sheets.close()
