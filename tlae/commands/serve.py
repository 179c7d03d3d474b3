"""tlae serve [models=checkpoints] [port=8000] [explore=photos.desc].

Serves the models of a folder over HTTP: single pictures and batches, cameras frame by frame, whole
videos in the background, maps, counts for Prometheus; /docs of the page lists the requests. The
page shows each camera with heat, scores and events. Models are named by their folder, and are read
anew on request while others are served. docs/serve.md describes it.
Only this machine can reach it unless host=... says otherwise.
"""

from tlae.serving.serve import serve
from tlae.serving.settings import ServeConfig


def run(cfg: ServeConfig) -> None:
    """Serve until interrupted."""
    serve(cfg)
