"""The explorer over HTTP, without a browser."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")
pytest.importorskip("httpx2", reason="the test client talks through it")

from fastapi.testclient import TestClient

from tests.small_descriptors import GROUP, write_store
from tlae.explorer.api import explorer_app
from tlae.explorer.collection import open_collection
from tlae.explorer.explorer import Explorer
from tlae.explorer.sheets import Sheets
from tlae.image_sets.item_pictures import pictures_of

LONGEST_S = 120
TWO = {"method": "kmeans", "parameters": {"k": 2}}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    described = write_store(tmp_path)
    (tmp_path / "pictures/005.png").unlink()
    with Explorer(open_collection(tmp_path / "photos.desc")) as explorer:
        pictures = pictures_of(described.ids, described.facts)
        sheets = Sheets(pictures, explorer.store.arrays / "sheets", start_after_s=0)
        sheets.start()
        sheets.wait()
        yield TestClient(explorer_app(explorer, sheets), base_url="http://127.0.0.1:8765")
        sheets.close()


def start(client: TestClient) -> str:
    return str(client.get("/api/collection").json()["start"])


def known(client: TestClient, request: dict[str, Any]) -> dict[str, Any]:
    """Ask until the answer is 200, as docs/explorer.md says."""
    for _ in range(10 * LONGEST_S):
        answer = client.post("/api/clusterings", json=request)
        if answer.status_code == 200:
            return dict(answer.json())
        assert answer.status_code == 202
        job = client.get(f"/api/jobs/{answer.json()['job']['id']}").json()
        assert job["state"] in ("waiting", "running", "done")
        time.sleep(0.1)
    raise AssertionError("no answer")


def test_the_collection_says_what_can_be_done(client: TestClient) -> None:
    facts = client.get("/api/collection").json()
    assert facts["count"] == 2 * GROUP
    assert facts["columns"] == ["hour", "day", "position"]
    assert {"pca", "tsne", "umap"} == {one["name"] for one in facts["maps"]}
    assert "kmeans" in [one["name"] for one in facts["methods"]]
    assert [one["id"] for one in facts["labelings"]] == [facts["start"]]


def test_coordinates_columns_and_labels_are_binary(client: TestClient) -> None:
    placed = client.get("/api/maps/pca?dimensions=3")
    assert placed.headers["x-shape"] == "60,3"
    assert np.abs(np.frombuffer(placed.content, "<f4")).max() == pytest.approx(1)
    hours = np.frombuffer(client.get("/api/columns/hour").content, "<f4")
    assert hours[:2].tolist() == [6.5, 7.5]
    labels = client.get(f"/api/labelings/{start(client)}/labels")
    assert np.frombuffer(labels.content, "<i4").tolist() == [0] * 2 * GROUP


def test_a_clustering_is_a_job_first_and_then_known_at_once(client: TestClient) -> None:
    assert client.post("/api/clusterings", json=TWO).status_code == 202
    made = known(client, TWO)
    assert client.post("/api/clusterings", json=TWO).json() == made
    parts = known(client, TWO | {"rows": list(range(GROUP)), "parent": made["id"]})
    labels = np.frombuffer(client.get(f"/api/labelings/{parts['id']}/labels").content, "<i4")
    assert len(set(labels.tolist())) == 3
    assert [one["state"] for one in client.get("/api/jobs").json()] == ["done", "done"]


def test_names_are_kept(client: TestClient) -> None:
    key = start(client)
    client.patch(f"/api/labelings/{key}", json={"name": "mine", "clusters": {"0": "all of it"}})
    kept = client.get("/api/labelings").json()[0]
    assert (kept["name"], kept["clusters"]) == ("mine", {"0": "all of it"})


def test_pictures_and_sheets_are_jpeg_and_what_is_gone_is_hatched(client: TestClient) -> None:
    answer = client.get("/api/items/3/picture?px=64")
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (12, 18, 3)
    assert abs(picture.mean() - 40) < 3
    gone = client.get("/api/items/5/picture")
    assert gone.headers["x-missing"] == "No such file or directory"
    assert gone.headers["content-type"] == "image/jpeg"
    assert client.get("/api/sheets").json() == {"count": 1, "ready": [0], "missing": 1}
    assert client.get("/api/sheets/0").headers["content-type"] == "image/jpeg"
    assert client.get("/api/sheets/1").status_code == 404


def test_files_and_plans_are_text(client: TestClient) -> None:
    asked = {"labeling": start(client), "rows": [3, 5]}
    assert len(client.post("/api/files", json=asked).text.splitlines()) == 3
    plan = client.post("/api/move-plan", json=asked | {"target": "sorted"})
    assert (plan.headers["x-files"], plan.headers["x-left-out"]) == ("1", "1")
    assert plan.text.startswith("#!/bin/sh")
    table = client.post("/api/move-plan", json=asked | {"target": "sorted", "form": "csv"})
    assert table.text.splitlines()[1].endswith("003.png,sorted/cluster_0/003.png")


def test_the_export_holds_everything_and_loads_nothing(client: TestClient) -> None:
    page = client.post("/api/export", json={"labeling": start(client)}).text
    assert page.count("data:image/jpeg;base64,") == 12
    assert "default-src 'none'" in page
    assert 'src="http' not in page
    assert "\nimport " not in page
    assert "\nexport " not in page
    data = page.split('id="data">')[1].split("</script>")[0]
    facts = json.loads(data.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert len(facts["paths"]) == 2 * GROUP


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "words"),
    [
        ("GET", "/api/maps/mds", None, 404, "no map is called 'mds'"),
        ("GET", "/api/maps/pca?dimensions=5", None, 422, "dimensions must be 2 or 3, got 5"),
        ("GET", "/api/columns/size", None, 404, "no column is called 'size'; known: hour"),
        ("GET", "/api/items/60", None, 404, "rows must be in 0 to 59, got 60"),
        ("GET", "/api/items/-1/picture", None, 404, "rows must be in 0 to 59, got -1"),
        ("GET", "/api/jobs/none", None, 404, "no job has the id 'none'"),
        ("GET", "/api/labelings/..%2f..%2fx/labels", None, 404, "Not Found"),
        ("GET", "/api/labelings/../labels", None, 404, ""),
        ("GET", "/page/..%2fexport.py", None, 404, ""),
        ("GET", "/page/export.html.jinja", None, 404, "the page has no file"),
        ("GET", "/page/%2e%2e%2f%2e%2e%2fexplorer.py", None, 404, ""),
        ("POST", "/api/clusterings", {"method": "kmeans", "parameters": {"k": 0}}, 422, "k must"),
        ("POST", "/api/clusterings", {"method": "kmeans", "rows": ["x"]}, 422, "valid integer"),
        ("POST", "/api/export", {"labeling": "none"}, 404, "no labeling has the id"),
        ("POST", "/api/move-plan", {"labeling": "x", "target": "a", "form": "exe"}, 422, "form"),
    ],
)
def test_bad_requests_get_a_clear_answer(
    client: TestClient, verb: str, path: str, body: Any, status: int, words: str
) -> None:
    answer = client.request(verb, path, json=body)
    assert answer.status_code == status
    assert words in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "", "127.0.0.1.evil.example"]
)
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/api/collection", headers={"Host": host})
    assert answer.status_code == 403
    assert "the Host header must name this server" in answer.json()["error"]


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8765", "192.168.0.7:8765"])
def test_an_address_is_no_foreign_host(client: TestClient, host: str) -> None:
    assert client.get("/api/jobs", headers={"Host": host}).status_code == 200


def test_another_sites_request_is_refused(client: TestClient) -> None:
    answer = client.post("/api/clusterings", json=TWO, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    own = {"Origin": "http://127.0.0.1:8765"}
    assert client.post("/api/clusterings", json=TWO, headers=own).status_code == 202


def test_the_pages_load_nothing_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/docs", "/page/style.css", "/page/explore.js", "/page/scatter.js"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "https://" not in answer.text
        assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_the_api_page_names_every_action(client: TestClient) -> None:
    page = client.get("/docs").text
    for path, verbs in client.get("/openapi.json").json()["paths"].items():
        for verb in verbs:
            assert f"{verb.upper()} {path}" in page
