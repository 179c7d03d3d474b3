"""tlae serve zmq model_file=FILE [filter=FILE] [port=7777].

Answers over ZeroMQ (REP) which pictures to keep: those that the model of `tlae novelty fit` calls
normal and, where one is given, the filter of `tlae filter fit` calls good. A message is the bare
pixels of pictures of 512 x 512 (or 448 x 448) RGB, the answer the int32 indices of those to keep;
or a JSON header and pixels of any size, with scores in the answer. docs/serve.md describes both.
Only this machine can reach it unless host=... says otherwise.
"""

from tlae.serving.settings import ServeZmqConfig
from tlae.serving.zmq_server import serve_zmq


def run(cfg: ServeZmqConfig) -> None:
    """Answer until interrupted."""
    serve_zmq(cfg)
