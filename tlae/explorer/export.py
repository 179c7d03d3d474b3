"""Static export: one HTML page with map, clusters and samples that opens from disk."""

import base64
import html
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlae.explorer.explorer import Explorer
from tlae.explorer.job_store import Labels
from tlae.explorer.pictures import jpeg, placeholder
from tlae.footage.images import Unreadable
from tlae.image_sets.maps import MAPS, Coordinates
from tlae.number_words import how_many

if TYPE_CHECKING:
    from jinja2 import Template

SAMPLES = 12  # pictures of each cluster
MOST_CLUSTERS = 60  # with samples, the largest ones and the outliers
SAMPLE_PX = 160
MOST_PATHS = 20_000  # beyond, paths would outweigh the page: hovering then tells the cluster alone
SCRIPTS = ("colours.js", "scatter.js", "export.js")


def export_html(explorer: Explorer, labeling: str, coordinates: Coordinates, method: str) -> str:
    """The page as text.

    Args:
        explorer: what is explored.
        labeling: id of the labeling to show.
        coordinates: (N, 2 or 3), a map.
        method: of the map.
    """
    collection = explorer.collection
    labels = explorer.labels(labeling)
    clusters = _clusters(explorer, labeling, labels)
    data = {
        "dimensions": coordinates.shape[1],
        "coordinates": _base64(coordinates.astype("<f4")),
        "labels": _base64(labels.astype("<i4")),
        "names": {str(cluster["label"]): cluster["name"] for cluster in clusters},
        "paths": [str(p) for p in collection.paths] if collection.count <= MOST_PATHS else [],
    }
    page = files("tlae.explorer") / "page"
    return _template().render(
        title=explorer.folder.name,
        labeling=explorer.labeling(labeling).name,
        map=MAPS[method].title,
        descriptor=collection.descriptors.name,
        dimensions=coordinates.shape[1],
        count=collection.count,
        notes=collection.notes,
        clusters=clusters,
        left_out=max(0, len(clusters) - MOST_CLUSTERS),
        style=(page / "style.css").read_text(encoding="utf-8"),
        script=_one_script([(page / name).read_text(encoding="utf-8") for name in SCRIPTS]),
        data=html.escape(json.dumps(data), quote=False),
    )


def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tlae.explorer", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["how_many"] = how_many
    return environment.get_template("export.html.jinja")


def _clusters(explorer: Explorer, labeling: str, labels: Labels) -> list[dict[str, Any]]:
    """Facts of every cluster, the largest first, outliers last; samples of the largest."""
    found, sizes = np.unique(labels, return_counts=True)
    names = explorer.cluster_names(labeling, found)
    order = sorted(range(len(found)), key=lambda i: (found[i] < 0, -sizes[i]))
    shown = {*order[:MOST_CLUSTERS], *(i for i in order if found[i] < 0)}
    rng = np.random.default_rng(0)
    return [
        {
            "label": int(found[i]),
            "name": names[i],
            "size": int(sizes[i]),
            "share": sizes[i] / len(labels),
            "samples": _samples(explorer, np.flatnonzero(labels == found[i]), rng)
            if i in shown
            else [],
        }
        for i in order
    ]


def _samples(
    explorer: Explorer, rows: npt.NDArray[np.int64], rng: np.random.Generator
) -> list[dict[str, Any]]:
    chosen = np.sort(rng.choice(rows, min(SAMPLES, len(rows)), replace=False))
    samples = []
    for row in chosen:
        item = explorer.collection.item(int(row))
        caption = f"{item['path']} {item['taken_at'] or ''}".strip()
        try:
            image = explorer.pictures.read(int(row), SAMPLE_PX)
        except Unreadable as problem:
            image, caption = placeholder(SAMPLE_PX), f"{caption} ({problem.reason})"
        source = "data:image/jpeg;base64," + base64.b64encode(jpeg(image)).decode()
        samples.append({"source": source, "caption": caption})
    return samples


def _base64(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _one_script(modules: list[str]) -> str:
    """Modules put one after the other, each before those that import it."""
    text = "\n".join(modules)
    return re.sub(
        r"^export (?=const|class|function|async)",
        "",
        re.sub(r"^import .*$", "", text, flags=re.M),
        flags=re.M,
    )
