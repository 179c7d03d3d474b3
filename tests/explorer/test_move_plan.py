import csv
import io
import subprocess
from pathlib import Path

from tlae.explorer.move_plan import file_table, plan_moves


def test_equal_names_get_numbers_and_what_is_no_file_is_left_out() -> None:
    paths = ["/a/x.jpg", "/b/x.jpg", "/p.zip::x.jpg", "/gone.jpg", "/a/x.jpg"]
    folders = ["night sky", "night sky", "day", "day", "day"]
    plan = plan_moves(paths, folders, "out", lambda path: path != "/gone.jpg")
    assert plan.moves == [
        ("/a/x.jpg", "out/night_sky/x.jpg"),
        ("/b/x.jpg", "out/night_sky/x-2.jpg"),
    ]
    assert plan.left_out == [
        ("/p.zip::x.jpg", "inside an archive"),
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
    plan = plan_moves(["x.zip::a\ntouch hacked"], ["a"], "out", lambda path: True)
    subprocess.run(["sh"], input=plan.as_script(), text=True, check=True, cwd=tmp_path)
    assert not (tmp_path / "hacked").exists()


def test_tables_survive_commas_quotes_and_line_ends() -> None:
    row = ('a,"b"\nc', "clip", 3, "", 0, "cluster 0")
    read = list(csv.reader(io.StringIO(file_table([row]))))
    assert read[0][0] == "path"
    assert read[1] == [str(value) for value in row]
