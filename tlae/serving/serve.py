"""Start the HTTP server: settings in, models loaded, a socket that listens."""

import logging
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

import uvicorn
from fastapi import FastAPI

from tlae.errors import UserError
from tlae.explorer.guard import is_loopback
from tlae.explorer.listening import address_of, listen
from tlae.folder_lock import held_folder
from tlae.number_words import how_many
from tlae.serving.app import serving_app
from tlae.serving.limits import Limit
from tlae.serving.metrics import Metrics
from tlae.serving.service import Service
from tlae.serving.session_list import Sessions
from tlae.serving.session_store import SessionStore
from tlae.serving.settings import ServeConfig
from tlae.serving.shelf import ModelShelf
from tlae.serving.video_jobs import VideoJobs
from tlae.signals import handled

SHORTEST_TOKEN = 16  # characters
GRACE_S = 10  # for requests that are being answered when the server ends

logger = logging.getLogger(__name__)


def serve(cfg: ServeConfig) -> None:
    """Serve until interrupted or terminated."""
    limit = Limit(
        token=None if cfg.token_file is None else read_token(Path(cfg.token_file).expanduser()),
        most_bytes=1e6 * cfg.most_mb,
        most_upload_bytes=1e6 * cfg.most_video_mb,
        requests_per_s=cfg.requests_per_s,
    )
    shelf = ModelShelf(Path(cfg.models).expanduser(), cfg.most_models, cfg.threads)
    most_pixels = 1e6 * cfg.most_megapixels
    with (
        handled(_leave, signal.SIGTERM),  # while models are loaded; `with` leaves no file behind
        listen(cfg.host, cfg.port) as listening,
        tempfile.TemporaryDirectory(prefix="tlae-serve-") as folder,
    ):
        shelf.load_all()
        with (
            kept_sessions(cfg, shelf) as (sessions, store),
            VideoJobs(Path(folder), cfg.most_jobs, most_pixels, cfg.device) as jobs,
            explorer_of(cfg) as explorer,
        ):
            metrics = Metrics(shelf, sessions, jobs)
            service = Service(shelf, sessions, jobs, metrics, most_pixels, cfg.device, store)
            url = address_of(listening)
            _warn(cfg, limit)
            logger.info(f"page: {url}  (HTTP API: {url}docs; Ctrl+C ends it)")
            logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
            config = uvicorn.Config(
                serving_app(service, limit, cfg.host, explorer),
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
            # Uvicorn raises the signal again when it has ended; that would end the process at once.
            with handled(lambda _: None, signal.SIGTERM):
                uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def explorer_of(cfg: ServeConfig) -> Iterator[FastAPI | None]:
    """The explorer that settings ask for.

    Raises:
        UserError: the set of pictures cannot be used, or another explorer uses it.
    """
    asked = cfg.explore
    if asked.path is None:
        yield None
        return
    from tlae.explorer.api import explorer_app
    from tlae.explorer.serve import explored, opened_collection

    try:
        collection = opened_collection(asked.path, asked.descriptor, asked.labels)
    except UserError as error:
        raise UserError(f"explore: {error}") from error
    with explored(collection) as (explorer, sheets):
        yield explorer_app(explorer, sheets, host=None)


@contextmanager
def kept_sessions(
    cfg: ServeConfig, shelf: ModelShelf
) -> Iterator[tuple[Sessions, SessionStore | None]]:
    """The sessions of a server, with those of an earlier run; all are written at the end.

    Raises:
        UserError: the folder cannot be used, or another server uses it.
    """
    if cfg.state is None:
        yield Sessions(cfg.most_sessions, cfg.idle_s), None
        return
    folder = Path(cfg.state).expanduser()
    with held_folder(folder, "give another state=..."), closing(SessionStore(folder)) as store:
        sessions = Sessions(cfg.most_sessions, cfg.idle_s, store.forget)
        if count := store.restore(shelf, sessions, cfg.device):
            logger.info(f"going on with {how_many(count, 'session')}")
        try:
            yield sessions, store
        finally:
            for session in sessions.all():
                store.keep(session, [], at_once=True)


def read_token(path: Path) -> str:
    """The password in a file, without the white space around it.

    Raises:
        UserError: the file cannot be read, or holds no password.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise UserError(f"token_file must be readable, got {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"token_file must hold ASCII text, {path} holds other bytes") from error
    if len(token) < SHORTEST_TOKEN or not token.isprintable() or " " in token:
        raise UserError(
            f"token_file must hold one word of at least {SHORTEST_TOKEN} characters, {path} holds "
            f"{len(token)}; `openssl rand -hex 32` makes one"
        )
    return token


def _leave(_: int) -> NoReturn:
    raise SystemExit(0)


def _warn(cfg: ServeConfig, limit: Limit) -> None:
    if is_loopback(cfg.host):
        return
    if limit.token is None:
        logger.warning(
            f"warning: everyone who can reach {cfg.host} sees these cameras and can use the "
            "models; there is no password. token_file=... asks for one"
        )
    else:
        logger.warning(
            "warning: pictures and the token travel in the clear; put a proxy with TLS before it"
        )
