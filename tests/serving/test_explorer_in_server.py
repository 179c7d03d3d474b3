"""The explorer of pictures inside the application of `tlae serve`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.small_descriptors import GROUP, write_store

pytest.importorskip("fastapi", reason="needs the extra serve")
pytest.importorskip("prometheus_client", reason="needs the extra serve")
pytest.importorskip("httpx2", reason="the test client talks through it")

from tests.browser import chromium, troubles_of
from tests.serving.conftest import server
from tests.serving.in_process import service_of
from tlae.cli import main
from tlae.serving.serve import explorer_of
from tlae.serving.settings import ExploreConfig, ServeConfig

TOKEN = "a-token-of-32-characters-in-all!"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def app(models: Path, tmp_path: Path) -> Iterator[Any]:
    write_store(tmp_path)
    explore = ExploreConfig(path=str(tmp_path / "photos.desc"))
    with (
        explorer_of(ServeConfig(explore=explore)) as explorer,
        service_of(models, tmp_path / "jobs", token=TOKEN, explorer=explorer) as app,
    ):
        yield app


def client_of(app: Any, address: str = "http://127.0.0.1:8000") -> Any:
    from fastapi.testclient import TestClient

    return TestClient(app, base_url=address)


def test_the_explorer_is_there_behind_the_same_token(app: Any) -> None:
    client = client_of(app)
    assert client.get("/explore").url.path == "/explore/"
    page = client.get("/explore/").text
    for part in ("page/style.css", "page/explore.js"):
        assert f'"{part}"' in page
        assert client.get(f"/explore/{part}").status_code == 200
    assert client.get("/explore/docs").status_code == 200
    for place in ("api/collection", "api/items/0/picture", "api/jobs", "openapi.json"):
        assert client.get(f"/explore/{place}").status_code == 401, place
        assert client.get(f"/explore/{place}", headers=KNOWN).status_code == 200, place
    assert client.get("/explore/api/collection", headers=KNOWN).json()["count"] == 2 * GROUP
    assert client.get("/explore/api/items/999", headers=KNOWN).status_code == 404


def test_host_and_size_are_limited_as_for_the_rest(app: Any) -> None:
    foreign = client_of(app, "http://evil.example:8000").get("/explore/api/jobs", headers=KNOWN)
    assert foreign.status_code == 403
    long = client_of(app).post("/explore/api/files", headers=KNOWN, content=b" " * 70_000_000)
    assert long.status_code == 413
    one = client_of(app).get("/explore/api/collection", headers=KNOWN)
    names = [name for name, _ in one.headers.multi_items()]
    assert names.count("content-security-policy") == 1


def test_both_count_under_their_own_addresses(app: Any) -> None:
    client = client_of(app)
    client.get("/api/jobs", headers=KNOWN)
    client.get("/explore/api/jobs", headers=KNOWN)
    counts = client.get("/metrics", headers=KNOWN).text
    for route in ("/api/jobs", "/explore/api/jobs"):
        assert f'tlae_requests_total{{method="GET",route="{route}",status="200"}} 1.0' in counts


def test_the_live_page_links_to_it_only_where_it_is(app: Any, make_client: Any) -> None:
    link = '<a href="/explore/" id="explore"'
    assert f"{link}>" in client_of(app).get("/").text
    plain = make_client()
    assert f"{link} hidden>" in plain.get("/").text
    assert plain.get("/explore/").status_code == 404


def test_pictures_that_cannot_be_explored_are_refused_in_one_line(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"models={models}", "port=0", "device=cpu", f"explore={tmp_path}/none.desc"]
    assert main(["serve", *words]) == 2
    shown = capsys.readouterr().err.splitlines()[-1]
    assert shown.startswith("tlae serve: explore: ")
    assert "none.desc" in shown


def test_pictures_show_behind_the_token(models: Path, tmp_path: Path) -> None:
    """An address alone does not show a picture there."""
    write_store(tmp_path)
    (tmp_path / "token.txt").write_text(TOKEN)
    places = [f"token_file={tmp_path}/token.txt", f"explore={tmp_path}/photos.desc"]
    with server(models, *places) as url, chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        troubles = troubles_of(page, url, "blob:", "data:")
        page.goto(f"{url}/explore/")
        page.wait_for_selector("text=asks for its token")
        page.goto(url)
        page.fill("#token", TOKEN)
        page.click("#token-form button")
        page.click("#explore")
        page.wait_for_selector("#cover", state="hidden")
        page.keyboard.press("v")  # all that is in view
        page.wait_for_selector("#samples img[src^=blob]")
        assert f"{2 * GROUP} pictures" in page.inner_text("#subtitle")
        page.click("#samples button")
        page.wait_for_selector("#pinned img[src^=blob]")
        assert not troubles
