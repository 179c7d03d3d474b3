"""Files and folders appear whole; a kill between any two steps loses nothing."""

import contextlib
from pathlib import Path

import pytest

from tests.kill import Killed, killed_before
from tlae.errors import UserError
from tlae.whole_file import (
    read_facts,
    remove_ours,
    replace_folder,
    require_plain_name,
    whole_folder,
    write_text,
)

OURS = ("result.json", "maps/*")


def fill(folder: Path, text: str) -> None:
    (folder / "maps").mkdir()
    (folder / "maps/0").write_text(text)
    (folder / "result.json").write_text(text)


def replace(path: Path, text: str) -> None:
    with replace_folder(path, "result.json", OURS) as temporary:
        fill(temporary, text)


@pytest.mark.parametrize("step", range(25))
def test_a_swap_killed_before_any_step_is_finished_by_the_same_command(
    step: int, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    replace(path, "old")
    (path / "notes").mkdir()
    (path / "notes/mine.txt").write_text("mine")
    with killed_before(step) as happened:
        try:
            replace(path, "new")
        except Killed:
            pass
        else:
            assert len(happened) < 25
    replace(path, "new")
    assert (path / "result.json").read_text() == (path / "maps/0").read_text() == "new"
    assert (path / "notes/mine.txt").read_text() == "mine"
    assert [found.name for found in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("step", range(12))
def test_a_new_folder_killed_before_any_step_is_made_by_the_same_command(
    step: int, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    with killed_before(step):
        try:
            with whole_folder(tmp_path / "out") as temporary:
                fill(temporary, "new")
        except Killed:
            pass
    if not (tmp_path / "out/result.json").is_file():
        with whole_folder(tmp_path / "out") as temporary:
            fill(temporary, "new")
    assert (tmp_path / "out/result.json").read_text() == "new"


@pytest.mark.parametrize("step", range(4))
def test_a_file_killed_before_any_step_is_old_or_new(step: int, tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "old")
    with contextlib.suppress(Killed), killed_before(step):
        write_text(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() in ("old", "new")


@pytest.mark.parametrize("place", [".", "", "/", "{here}"])
def test_the_folder_that_one_stands_in_is_not_swapped(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(UserError, match="need a folder of their own"),
        replace_folder(Path(place.format(here=tmp_path)), "mark", ()),
    ):
        pass


def test_a_folder_without_our_mark_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(UserError, match="not a result of this command"):
        replace(tmp_path, "new")
    assert (tmp_path / "photo.jpg").read_text() == "mine"


def test_only_files_that_are_ours_are_removed_and_no_link_is_followed(tmp_path: Path) -> None:
    footage = tmp_path / "footage"
    footage.mkdir()
    (footage / "0").write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    fill(folder, "old")
    (folder / "maps/link").symlink_to(footage)
    (folder / "photos").symlink_to(footage)
    (folder / "result.json.part").write_text("torn")
    assert remove_ours(folder, OURS) == ["photos"]
    assert [found.name for found in folder.iterdir()] == ["photos"]
    assert (footage / "0").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{", "[1]", "{'a': 1}"])
def test_torn_facts_are_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text(text)
    assert read_facts(tmp_path / "facts.json") == {}


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", "../x", "/etc", "a/b", "a\\b", "x.part", "a\nb", "x" * 300]
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="give another name=") as refused:
        require_plain_name(name, "name")
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["run", "Kamera 1", "straße", ".hidden", "a.b", "~tilde"])
def test_a_plain_name_passes(name: str) -> None:
    assert require_plain_name(name, "name") == name
