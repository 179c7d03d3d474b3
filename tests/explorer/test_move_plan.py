import csv
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tlae.explorer.move_plan import file_table, plan_moves


def test_equal_names_get_numbers_and_what_is_no_file_is_left_out() -> None:
    paths = ["/a/x.jpg", "/b/x.jpg", "/p.zip::x.jpg", "/gone.zip::x.jpg", "/gone.jpg", "/a/x.jpg"]
    folders = ["night sky", "night sky", "day", "day", "day", "day"]
    plan = plan_moves(paths, folders, "out", lambda path: not path.startswith("/gone"))
    assert plan.moves == [
        ("/a/x.jpg", "out/night_sky/x.jpg"),
        ("/b/x.jpg", "out/night_sky/x-2.jpg"),
    ]
    assert plan.unpacked == [("/p.zip", "x.jpg", "out/day/x.jpg")]
    assert plan.as_csv().splitlines()[-1] == "/p.zip::x.jpg,out/day/x.jpg"
    assert plan.left_out == [
        ("/gone.zip::x.jpg", "no such file"),
        ("/gone.jpg", "no such file"),
        ("/a/x.jpg", "planned already"),
    ]


def test_no_cluster_name_leads_out_of_the_target() -> None:
    plan = plan_moves(["/a/x.jpg"] * 1, ["../../etc"], "out", lambda path: True)
    assert plan.moves == [("/a/x.jpg", "out/etc/x.jpg")]
    assert plan_moves(["/a/x.jpg"], ["/"], "out", lambda path: True).moves[0][1] == (
        "out/cluster/x.jpg"
    )


def test_the_script_moves_awkward_names_when_the_user_runs_it(tmp_path: Path) -> None:
    names = ["plain.txt", "it's $(touch hacked) `x`.txt", "-rf.txt", "two\nlines.txt"]
    sources = []
    for name in names:
        (tmp_path / name).write_text(name)
        sources.append(str(tmp_path / name))
    plan = plan_moves(sources, ["a"] * 4, str(tmp_path / "sorted"), lambda path: True)
    subprocess.run(["sh"], input=plan.as_script(), text=True, check=True, cwd=tmp_path)
    assert sorted(p.read_text() for p in (tmp_path / "sorted/a").iterdir()) == sorted(names)
    assert [p.name for p in tmp_path.iterdir()] == ["sorted"]


def test_a_left_out_path_with_a_line_end_stays_a_comment(tmp_path: Path) -> None:
    plan = plan_moves(["x.zip::a\ntouch hacked"], ["a"], "out", lambda path: False)
    subprocess.run(["sh"], input=plan.as_script(), text=True, check=True, cwd=tmp_path)
    assert not (tmp_path / "hacked").exists()


@pytest.mark.skipif(shutil.which("unzip") is None, reason="needs unzip")
def test_the_script_unpacks_members_with_awkward_names(tmp_path: Path) -> None:
    names = ["in/plain.txt", "in/a[1] *?.txt", "in/it's $(touch hacked).txt"]
    archive = tmp_path / "all of it.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in names:
            opened.writestr(name, name)
    there = tmp_path / "sorted/b/plain.txt"
    there.parent.mkdir(parents=True)
    there.write_text("kept")
    paths = [f"{archive}::{name}" for name in names]
    plan = plan_moves(paths, ["b"] * 3, str(tmp_path / "sorted"), lambda path: True)
    subprocess.run(["sh"], input=plan.as_script(), text=True, check=True, cwd=tmp_path)
    assert there.read_text() == "kept"
    found = sorted(file.read_text() for file in there.parent.iterdir())
    assert found == sorted(["kept", *names[1:]])
    assert not (tmp_path / "hacked").exists()


def test_tables_survive_commas_quotes_and_line_ends() -> None:
    row = ('a,"b"\nc', "clip", 3, "", 0, "cluster 0")
    read = list(csv.reader(io.StringIO(file_table([row]))))
    assert read[0][0] == "path"
    assert read[1] == [str(value) for value in row]
