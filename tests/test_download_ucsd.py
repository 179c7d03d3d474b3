import gzip
import hashlib
import importlib.util
import io
import random
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "download_ucsd.py"
ROOT = "UCSD_Anomaly_Dataset.v1p2"
PIXELS = random.Random(0).randbytes(20_000)  # hardly compressible: the archive has some length
FILES = {
    **{f"UCSDped1/Train/Train001/{n:03}.tif": PIXELS for n in (1, 2)},
    "UCSDped1/Test/UCSDped1.m": b"gt_frame = [1:1];",
    "UCSDped1/Test/Test001/001.tif": PIXELS,
    "UCSDped2/Train/Train001/001.tif": PIXELS,
    **{f"UCSDped2/Test/Test{clip:03}/{n:03}.tif": PIXELS for clip in (1, 2) for n in (1, 2, 3)},
    "UCSDped2/Test/Test001_gt/001.bmp": b"mask",
    "UCSDped2/Test/UCSDped2.m": b"gt_frame = [2:3];",
}
CLUTTER = (
    "README.txt",
    "UCSDped2/.DS_Store",
    "UCSDped2/Test/Test001/._001.tif",
    "__MACOSX/UCSDped2/Test/Test001/001.tif",
    "UCSDped2/.git/config",
    "UCSDped2/Test/UCSDped2.m~",
)


@dataclass
class Site:
    """A file on a server that can misbehave."""

    data: bytes
    url: str = ""
    etag: str = '"one"'
    ranges: bool = True  # whether Range is heeded
    cuts: list[int] = field(default_factory=list)  # bytes sent by the next answers
    asked: list[str | None] = field(default_factory=list)  # Range headers
    sent: list[int] = field(default_factory=list)  # bytes of each answer


class Handler(BaseHTTPRequestHandler):
    def __init__(self, site: Site, *details: Any) -> None:
        self.site = site
        super().__init__(*details)

    def do_GET(self) -> None:
        site = self.site
        if self.path.partition("?")[0] != "/UCSD.tar.gz":
            return self.send_error(404)
        wanted = self.headers["Range"]
        site.asked.append(wanted)
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and site.ranges else 0
        if start >= len(site.data):
            return self.send_error(416)
        body = site.data[start:]
        body = body[: site.cuts.pop(0)] if site.cuts else body
        site.sent.append(len(body))  # before the answer: a client may hang up and ask anew at once
        self.send_response(206 if start else 200)
        if start:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(site.data) - 1}/{len(site.data)}"
            )
        self.send_header("Content-Length", str(len(site.data) - start))
        self.send_header("ETag", site.etag)
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site(archive_of(FILES))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, site)) as server:
        site.url = f"http://127.0.0.1:{server.server_port}/UCSD.tar.gz"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield site
        server.shutdown()


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module; it waits for nothing."""
    spec = importlib.util.spec_from_file_location("download_ucsd", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PAUSES_S", (0.0,) * 5)
    monkeypatch.setenv("no_proxy", "*")
    return module


def archive_of(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    """A gzipped archive with folders, files and whatever else."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        folders = {str(parent) for name in files for parent in Path(name).parents}
        for folder in sorted(folders - {"."}):
            tar.addfile(member(f"./{ROOT}/{folder}", tarfile.DIRTYPE))
        for name, data in files.items():
            info = member(f"./{ROOT}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in others:
            tar.addfile(info)
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def unpacked(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and "UCSD.tar.gz" not in path.name
    }


def begin(out: Path, site: Site, script: ModuleType) -> int:
    """Leave half a file behind, as a killed download does; returns its size."""
    half = len(site.data) // 2
    site.cuts = [half] + 5 * [0]
    assert script.main([f"--url={site.url}", f"--out={out}"]) == 2
    assert (out / "UCSD.tar.gz.part").read_bytes() == site.data[:half]
    site.asked, site.sent = [], []
    return half


def refusal(
    script: ModuleType, capsys: pytest.CaptureFixture[str], *words: str | Path, lines: int = 1
) -> str:
    """The message of a run that ends with status 2."""
    capsys.readouterr()
    assert script.main([str(word) for word in words]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == lines
    assert error[-1].startswith("error: ")
    return error[-1]


def test_fetches_and_unpacks(
    site: Site, script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "data"
    assert script.main([f"--url={site.url}", f"--out={out}"]) == 0
    assert unpacked(out) == FILES
    assert {path.name for path in out.iterdir()} == {"UCSDped1", "UCSDped2", "UCSD.tar.gz"}
    shown = capsys.readouterr().out
    assert hashlib.sha256(site.data).hexdigest() in shown
    assert "Train: 1 clips, 1 frames\n" in shown
    assert "Test: 2 clips, masks for 1 of them, 6 frames\n" in shown
    assert f"tlae train footage={out}/UCSDped2/Train name=ped2\n" in shown
    assert f"footage={out}/UCSDped2/Test\n" in shown
    assert f"scores=scores/ped2-Test labels={out}/UCSDped2/Test\n" in shown


def test_second_run_does_nothing(
    site: Site, script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"--url={site.url}", f"--out={tmp_path}"]
    script.main(words)
    (tmp_path / "UCSDped2" / "mine.txt").write_text("kept")
    capsys.readouterr()
    assert script.main(words) == 0
    assert len(site.asked) == 1
    assert (tmp_path / "UCSDped2" / "mine.txt").exists()
    shown = capsys.readouterr()
    assert shown.out.count("is there already and left alone") == 2
    assert shown.err == ""


def test_one_set_then_the_other_from_the_same_archive(
    site: Site, script: ModuleType, tmp_path: Path
) -> None:
    words = [f"--url={site.url}", f"--out={tmp_path}"]
    assert script.main([*words, "--only=ped2"]) == 0
    assert set(unpacked(tmp_path)) == {name for name in FILES if name.startswith("UCSDped2")}
    assert script.main(words) == 0
    assert unpacked(tmp_path) == FILES
    assert len(site.asked) == 1


def test_half_a_file_is_continued(site: Site, script: ModuleType, tmp_path: Path) -> None:
    half = begin(tmp_path, site, script)
    assert script.main([f"--url={site.url}", f"--out={tmp_path}"]) == 0
    assert site.asked == [f"bytes={half}-"]
    assert site.sent == [len(site.data) - half]
    assert unpacked(tmp_path) == FILES
    assert not list(tmp_path.glob("*.part*"))


def test_a_connection_that_breaks_is_tried_again(
    site: Site, script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.cuts = [1000] * 5
    assert script.main([f"--url={site.url}", f"--out={tmp_path}"]) == 0
    assert site.asked == [None, *(f"bytes={n}000-" for n in range(1, 6))]
    assert "1,000 of " in capsys.readouterr().err
    assert unpacked(tmp_path) == FILES


def test_server_without_ranges_sends_all_again(
    site: Site, script: ModuleType, tmp_path: Path
) -> None:
    begin(tmp_path, site, script)
    site.ranges = False
    assert script.main([f"--url={site.url}", f"--out={tmp_path}"]) == 0
    assert site.sent[-1] == len(site.data)
    assert unpacked(tmp_path) == FILES


@pytest.mark.parametrize("change", ["tag", "longer", "shorter", "address"])
def test_changed_remote_file_is_fetched_anew(
    change: str, site: Site, script: ModuleType, tmp_path: Path
) -> None:
    begin(tmp_path, site, script)
    if change == "tag":
        site.data = site.data[:4] + b"time" + site.data[8:]  # as long as before
        site.etag = '"two"'
    elif change == "longer":
        site.data = archive_of({**FILES, "UCSDped2/Test/more.m": PIXELS})
    elif change == "shorter":
        site.data = archive_of({name: data[:1] for name, data in FILES.items()})
    else:
        site.url += "?mirror=2"
    assert script.main([f"--url={site.url}", f"--out={tmp_path}"]) == 0
    assert site.asked[-1] is None
    assert site.sent[-1] == len(site.data)
    assert (tmp_path / "UCSD.tar.gz").read_bytes() == site.data


def test_truncated_transfer_is_refused_and_kept(
    site: Site, script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.cuts = [5000] + 5 * [0]
    shown = refusal(script, capsys, f"--url={site.url}", f"--out={tmp_path}", lines=6)
    assert f"5,000 of {len(site.data):,} bytes came; check the network" in shown
    assert {path.name for path in tmp_path.iterdir()} == {
        "UCSD.tar.gz.part",
        "UCSD.tar.gz.part.json",
    }


def test_sha256_is_compared(
    site: Site, script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"--url={site.url}", f"--out={tmp_path}"]
    shown = refusal(script, capsys, *words, f"--sha256={'0' * 64}")
    assert f"has sha256 {hashlib.sha256(site.data).hexdigest()}, not 000" in shown
    assert not (tmp_path / "UCSDped2").exists()
    digest = hashlib.sha256(site.data).hexdigest().upper()
    assert script.main([*words, f"--sha256={digest}"]) == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (member(f"{ROOT}/UCSDped2/link", tarfile.SYMTYPE, "../../.."), "link or a device"),
        (member("UCSDped2/hard", tarfile.LNKTYPE, f"./{ROOT}/UCSDped2/Test/UCSDped2.m"), "link"),
        (member("UCSDped2/null", tarfile.CHRTYPE), "device"),
        (member("UCSDped2/pipe", tarfile.FIFOTYPE), "device"),
        (member("UCSDped2/../../evil"), "leads elsewhere"),
        (member("../evil/", tarfile.DIRTYPE), "leads elsewhere"),
        (member("/UCSDped2/evil"), "leads elsewhere"),
        (member("UCSDped2\\..\\..\\evil"), "leads elsewhere"),
        (member("C:/UCSDped2/evil"), "leads elsewhere"),
        (member("UCSDped2/.hidden/../\n../evil"), "leads elsewhere"),
    ],
)
def test_unsafe_archive_is_refused_before_anything_is_written(
    bad: tarfile.TarInfo,
    reason: str,
    script: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(archive_of(FILES, bad))
    words = [f"--archive={archive}", f"--out={tmp_path / 'deep' / 'data'}"]
    assert reason in refusal(script, capsys, *words)
    assert list(tmp_path.iterdir()) == [archive]


def test_hidden_and_backup_files_are_left_out(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(archive_of({**dict.fromkeys(CLUTTER, b"clutter"), **FILES}))
    assert script.main([f"--archive={archive}", f"--out={tmp_path / 'data'}"]) == 0
    assert unpacked(tmp_path / "data") == FILES
    assert f"left out: {len(CLUTTER)} hidden" in capsys.readouterr().out


def test_archive_without_compression(script: ModuleType, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(gzip.decompress(archive_of(FILES)))
    assert script.main([f"--archive={archive}", f"--out={tmp_path / 'data'}"]) == 0
    assert unpacked(tmp_path / "data") == FILES


def damaged(data: bytes) -> Iterator[bytes]:
    """Cut short, one byte wrong, no archive at all."""
    plain = gzip.decompress(data)
    yield from (data[:length] for length in (5, len(data) // 2, len(data) - 4))
    for place in (len(data) // 3, len(data) - 6):  # in a file, in the checksum
        yield data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    headers = [at.start() for at in re.finditer(b"ustar", plain)]
    header = headers[len(headers) // 2]
    wrong = plain[: header - 200] + b"?" + plain[header - 199 :]
    yield gzip.compress(wrong, mtime=0)[:-8] + data[-8:]  # tarfile alone would see a short archive
    yield plain[: len(plain) // 2]
    yield from (b"", b"<!doctype html>" * 100)


def test_damaged_archive_is_refused(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "a.tar.gz"
    for number, data in enumerate(damaged(archive_of(FILES))):
        archive.write_bytes(data)
        shown = refusal(script, capsys, f"--archive={archive}", f"--out={tmp_path / 'data'}")
        assert "is damaged" in shown, number
        assert list(tmp_path.iterdir()) == [archive], number


def test_refusals_name_thing_and_cure(
    site: Site,
    script: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = f"--out={tmp_path / 'data'}"
    shown = refusal(script, capsys, out, f"--url={site.url}x")
    assert shown.endswith("UCSD.tar.gzx: the server says 404 Not Found; give another --url")
    shown = refusal(script, capsys, out, "--url=http://127.0.0.1:1/a.tar.gz")
    assert "no answer" in shown
    assert "Connection refused" in shown
    assert "unknown url type" in refusal(script, capsys, out, "--url=nowhere")
    assert "No such file" in refusal(script, capsys, out, "--archive", tmp_path / "absent.tar")
    archive = tmp_path / "one.tar.gz"
    archive.write_bytes(archive_of({k: v for k, v in FILES.items() if "ped1" in k}))
    shown = refusal(script, capsys, out, "--archive", archive)
    assert "must hold UCSDped2, it does not; see --only" in shown
    assert list((tmp_path / "data").iterdir()) == []


def test_full_disk(
    site: Site,
    script: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    (tmp_path / "UCSD.tar.gz.part").symlink_to(full)
    words = [f"--url={site.url}", f"--out={tmp_path}"]
    shown = refusal(script, capsys, *words)
    assert shown == f"error: {tmp_path} cannot be used: No space left on device"
    (tmp_path / "UCSD.tar.gz.part").unlink()

    def copy(source: Any, file: Any, _: int) -> None:
        with full.open("wb", buffering=0) as rest:
            rest.write(source.read())

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", copy)
        assert "No space left" in refusal(script, capsys, *words, lines=2)
    assert [path.name for path in tmp_path.glob("UCSD[!.]*")] == []
    assert not (tmp_path / "UCSD.unpacking").exists()
    assert script.main(words) == 0


def test_a_killed_unpacking_is_started_anew(script: ModuleType, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(archive_of(FILES))
    rest = tmp_path / "data" / "UCSD.unpacking" / "UCSDped2" / "Train" / "rest.tif"
    rest.parent.mkdir(parents=True)
    rest.write_bytes(b"")
    assert script.main([f"--archive={archive}", f"--out={tmp_path / 'data'}"]) == 0
    assert unpacked(tmp_path / "data") == FILES


def test_progress_is_told(
    site: Site,
    script: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(script, "REPORT_S", 0.0)
    monkeypatch.setattr(script, "CHUNK_BYTES", 10_000)
    assert script.main([f"--url={site.url}", f"--out={tmp_path}"]) == 0
    assert re.search(r"0 MB fetched, [\d,.]+ MB/s, 0 s left\n", capsys.readouterr().err)


def test_exit_status_of_the_script(tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPT), "--archive=absent.tar.gz", f"--out={tmp_path}"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "error: absent.tar.gz cannot be used: No such file or directory\n"
