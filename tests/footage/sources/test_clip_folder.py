from pathlib import Path

from tlae.footage.sources.clip_folder import clips_of
from tlae.footage.sources.image_folder import FolderFiles, ImageClip
from tlae.footage.sources.listing import Tree
from tlae.footage.timestamps import Timing


def names_of(tree: Tree, own_folder: str = "") -> list[str]:
    clips = clips_of(tree, FolderFiles(Path("/nowhere")), "root", Timing(), own_folder)
    return [clip.name for clip in clips]


def test_pictures_of_the_root_bear_its_name_in_natural_order() -> None:
    (clip,) = clips_of({"": ["10.jpg", "9.jpg"]}, FolderFiles(Path("/x")), "garden", Timing())
    assert isinstance(clip, ImageClip)
    assert clip.name == "garden"
    assert clip.names == ("9.jpg", "10.jpg")


def test_mixtures_become_clips_in_natural_order() -> None:
    tree = {
        "day10": ["1.jpg"],
        "day2": ["1.jpg", "b.mp4"],
        "": ["1.jpg", "film10.mp4", "film9.mp4"],
        "day2/east": ["1.jpg"],
    }
    expected = ["root", "film9", "film10", "day2", "day2/b", "day2/east", "day10"]
    assert names_of(tree) == expected


def test_videos_of_one_stem_keep_their_suffix() -> None:
    assert names_of({"": ["a.mp4", "a.avi", "b.mp4"]}) == ["a.avi", "a.mp4", "b"]
    assert names_of({"": ["A.mp4", "a.avi"]}) == ["a.avi", "A.mp4"]


def test_a_video_beside_a_folder_of_its_name_keeps_its_suffix() -> None:
    assert names_of({"": ["a.mp4"], "a": ["1.jpg"]}) == ["a.mp4", "a"]


def test_no_two_clips_share_a_name() -> None:
    tree = {"": ["1.jpg"], "root": ["1.jpg"], "a?b": ["1.jpg"], "a*b": ["1.jpg"], "A_B": ["1.jpg"]}
    names = names_of(tree)
    assert len({name.casefold() for name in names}) == 5
    assert {"root", "root-2", "a_b", "a_b-2"} <= {name.lower() for name in names}


def test_names_are_safe_as_file_names() -> None:
    assert names_of({'cam: "1"|2. ': ["1.jpg"]}) == ["cam_ _1__2"]
    assert names_of({"\udcff": ["1.jpg"]}) == ["?".replace("?", "_")]
    assert names_of({"...": ["1.jpg"]}) == ["_"]


def test_the_own_folder_of_an_archive_is_the_root() -> None:
    tree = {"Test": ["1.jpg"], "Test/Test001": ["1.jpg"]}
    assert names_of(tree, "Test") == ["root", "Test001"]
