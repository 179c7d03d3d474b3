"""tlae explore descriptors=FOLDER [labels=TABLE] [port=8765] [export=PAGE.html].

Opens a map of described pictures in the browser: colour by cluster, score or time, look at
pictures, draw a lasso, list its files, cluster it again. <descriptors> is written by
`tlae describe`, labels by `tlae cluster`. The same actions are offered over HTTP, see /docs of the
page. export=... writes one HTML page with map, clusters and samples instead, and needs no server.
Only this machine can reach the page unless host=... says otherwise. What was computed is kept in
<descriptors>/explorer.sqlite and <descriptors>/explorer/.
"""

from tlae.explorer.serve import explore
from tlae.explorer.settings import ExploreConfig


def run(cfg: ExploreConfig) -> None:
    """Serve the page until interrupted, or write it."""
    explore(cfg)
