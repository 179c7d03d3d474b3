"""`tlae explore`, through the command line, and its page in a browser."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser import barriers_of, chromium, troubles_of
from tests.small_descriptors import GROUP, write_labels, write_store
from tlae.cli import main

LIMIT_MS = 120_000


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["explore", *words]) == 2
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    return error


def test_export_writes_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    described = write_store(tmp_path)
    labels = write_labels(tmp_path / "labels.parquet", described, [0] * GROUP + [-1] * GROUP)
    page = tmp_path / "map.html"
    words = [f"descriptors={tmp_path}/photos.desc", f"labels={labels}", f"export={page}"]
    assert main(["explore", *words]) == 0
    assert f"page: {page}" in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert "outliers" in text
    assert text.count('class="dot" data-label=') == 2  # each cluster's headline has its colour
    assert "Two fingers zoom" in text
    assert text.count("data:image/jpeg;base64,") == 24


def test_bad_input_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_store(tmp_path)
    store = f"descriptors={tmp_path}/photos.desc"
    assert "must be a folder that holds descriptors" in refused(
        [f"descriptors={tmp_path}/none"], capsys
    )
    assert "has no descriptor 'vgg'" in refused([store, "descriptor=vgg"], capsys)
    assert "labels must be an existing folder or table" in refused(
        [store, f"labels={tmp_path}/none.parquet"], capsys
    )
    assert "must be writable" in refused([store, f"export={tmp_path}/no/such/page.html"], capsys)
    assert "a file ending in .html" in refused([store, f"export={tmp_path}/page.txt"], capsys)
    assert not (tmp_path / "no").exists()


def test_bad_addresses_get_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    write_store(tmp_path)
    store = f"descriptors={tmp_path}/photos.desc"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = refused([store, f"port={port}"], capsys)
        assert f"port must be free, got {port}, which another program uses; give port=" in error
    assert "port must be in [0, 65535], got 70000" in refused([store, "port=70000"], capsys)
    assert "host must be an address of this machine, got '203.0.113.1'" in refused(
        [store, "host=203.0.113.1"], capsys
    )


def test_without_the_web_server_the_command_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", None)
    write_store(tmp_path)
    error = refused([f"descriptors={tmp_path}/photos.desc"], capsys)
    assert "fastapi is not installed; pip install 'tlae[serve]', or give export=page.html" in error


def test_a_store_of_one_picture_and_one_of_lost_rows_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, values in (("one", np.ones((1, 3))), ("lost", np.full((3, 3), np.nan))):
        folder = tmp_path / name
        folder.mkdir()
        write_store(folder, values, pictures=False)
        words = [f"descriptors={folder}/photos.desc", f"export={folder}/page.html"]
        assert main(["explore", *words]) == 0
        assert "note: " in capsys.readouterr().out
        assert (folder / "page.html").is_file()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Address of a server of two groups of pictures, in a process of its own."""
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    write_store(tmp_path)
    command = [sys.executable, "-m", "tlae", "explore", f"descriptors={tmp_path}/photos.desc"]
    server = subprocess.Popen([*command, "port=0"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield next(line.split()[1] for line in server.stdout if line.startswith("page:"))
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


@pytest.fixture
def page(url: str) -> Iterator[Any]:
    with chromium("--enable-unsafe-swiftshader", "--use-angle=swiftshader") as browser:
        opened = browser.new_page(viewport={"width": 1366, "height": 768})
        opened.set_default_timeout(LIMIT_MS)
        opened.goto(url)
        opened.wait_for_selector("body[data-first-picture-ms]")
        yield opened


def test_a_user_walks_through_the_page(page: Any, url: str, tmp_path: Path) -> None:
    troubles = troubles_of(page, url, "blob:", "data:", "file:")
    assert page.inner_text("#clusters").split() == ["cluster", "0", "60"]

    lasso_left_half(page)
    page.wait_for_selector("#list li")
    assert page.inner_text("#selection-title") == "30 of 60 selected"
    assert page.locator("#list li").count() == GROUP

    assert barriers_of(page) == []
    page.select_option("#colour", "position")
    page.select_option("#method", "kmeans")
    page.fill("#parameters [name=k]", "2")
    page.click("#go")
    page.wait_for_selector("#clusters li:nth-child(3)")
    assert page.locator("#clusters li").count() == 3
    page.wait_for_selector("#ramp", state="hidden")
    assert page.input_value("#colour") == ""  # the new clusters show
    assert page.inner_text("#selection-title") == "30 of 60 selected"

    page.click("#undo")
    page.wait_for_selector("#clusters li:nth-child(3)", state="detached")
    assert page.inner_text("#selection-title") == "30 of 60 selected"
    page.click("#redo")
    page.wait_for_selector("#clusters li:nth-child(3)")

    page.click("#deep")
    page.wait_for_selector("#deep[aria-pressed=true]")
    page.focus("#overlay")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("v")
    assert page.inner_text("#selection-title") == "60 of 60 selected"
    page.keyboard.press("Escape")
    assert page.inner_text("#selection-title") == "Nothing selected"

    with page.expect_download() as waiting:
        page.click("#export")
    exported = tmp_path / "page.html"
    waiting.value.save_as(exported)
    assert troubles == []
    page.goto(exported.as_uri())
    page.wait_for_selector("#clusters li:nth-child(3)")
    assert page.locator(".pictures img").count() == 36
    assert troubles == []


def lasso_left_half(page: Any) -> None:
    box = page.locator("#overlay").bounding_box()
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = box["x"] + box["width"] / 2, box["y"] + box["height"] - 2
    page.keyboard.down("Shift")
    page.mouse.move(left, top)
    page.mouse.down()
    for corner in ((right, top), (right, bottom), (left, bottom)):
        page.mouse.move(*corner)
    page.mouse.up()
    page.keyboard.up("Shift")


def test_further_clusters_have_colours_of_their_own(page: Any) -> None:
    colours = page.evaluate(
        "import('/page/colours.js').then((all) => Array.from({length: 60}, (_, label) => "
        "all.rgb(all.clusterColour(label))))"
    )
    apart = [
        max(abs(a - b) for a, b in zip(one, other, strict=True))
        for number, one in enumerate(colours)
        for other in colours[:number]
    ]
    assert min(apart) >= 12


def test_on_a_phone_the_map_comes_first(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    stage, legend = (page.locator(name).bounding_box() for name in ("#stage", "#legend"))
    assert stage["y"] < 300
    assert legend["y"] > stage["y"] + stage["height"] - 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_not_installed_is_marked_before_it_is_pressed(page: Any) -> None:
    facts = page.evaluate("fetch('/api/collection').then((answer) => answer.json())")
    for kind, box in (("methods", "#method"), ("maps", "#map")):
        for one in facts[kind]:
            option = page.locator(f"{box} option[value={one['name']}]")
            assert option.is_disabled() != one["available"]
            assert ("(not installed)" in option.inner_text()) != one["available"]
