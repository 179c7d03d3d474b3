"""Fetch the UCSD pedestrian sets: python scripts/download_ucsd.py [--out data] [--only Ped2].

Continues a broken download, checks what came, and unpacks nothing unsafe. Needs Python alone.
The sets are those of Mahadevan et al., Anomaly Detection in Crowded Scenes, CVPR 2010.
"""

import argparse
import gzip
import hashlib
import json
import re
import shlex
import shutil
import sys
import tarfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.error import HTTPError
from urllib.request import Request, urlopen

URL = "http://www.svcl.ucsd.edu/projects/anomaly/UCSD_Anomaly_Dataset.tar.gz"
SETS = {"Ped1": "UCSDped1", "Ped2": "UCSDped2"}  # folders, however deep in the archive
PICTURES = frozenset({".tif", ".tiff", ".bmp", ".png", ".jpg"})
DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError)

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 60.0  # without a byte
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # before each new try
REPORT_S = 5.0


class Problem(Exception):
    """What stops the work, in one line for the user."""


class Dropped(Exception):
    """A connection that failed; another try may go better."""


def main(words: Sequence[str] | None = None) -> int:
    """Run with these command line words; returns the exit status."""
    arguments = parsed(words)
    try:
        run(arguments)
    except KeyboardInterrupt:
        say("stopped; start again to continue")
        return 130
    except Problem as problem:
        say(f"error: {problem}")
        return 2
    except OSError as error:  # a full disk has no file name
        say(f"error: {error.filename or arguments.out} cannot be used: {error.strerror or error}")
        return 2
    return 0


def parsed(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fetch the UCSD pedestrian sets Ped1 and Ped2.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--url", default=URL, help="address of the archive (default: %(default)s)")
    source.add_argument("--archive", type=Path, help="a .tar.gz or .tar that is on disk already")
    parser.add_argument("--out", type=Path, default=Path("data"), help="default: %(default)s")
    parser.add_argument("--sha256", metavar="HEX", help="refuse an archive with another digest")
    parser.add_argument("--only", type=str.capitalize, choices=SETS, help="unpack one of the sets")
    return parser.parse_args(words)


def run(arguments: argparse.Namespace) -> None:
    """Fetch and unpack the sets that are missing, then say what lies where."""
    out: Path = arguments.out
    wanted = [SETS[arguments.only]] if arguments.only else list(SETS.values())
    missing = [name for name in wanted if not (out / name).exists()]
    for name in sorted(set(wanted) - set(missing)):
        print(f"{out / name} is there already and left alone")
    if missing:
        archive = arguments.archive or download(arguments.url, out)
        check_digest(archive, arguments.sha256)
        unpack(archive, out, missing)
    for name in wanted:
        print(f"\n{summary(out / name)}")


def download(url: str, folder: Path) -> Path:
    """Fetch a file unless it is there; a broken connection is tried again a few times."""
    archive = folder / (url.partition("?")[0].rpartition("/")[2] or "archive.tar.gz")
    if archive.exists():
        print(f"{archive} is there already and not fetched")
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    part, notes = Path(f"{archive}.part"), Path(f"{archive}.part.json")
    for pause_s in (*PAUSES_S, None):
        try:
            fetch(url, part, notes)
            break
        except Dropped as dropped:
            if pause_s is None or not size_of(part):  # who never answered is not asked twice
                raise Problem(f"{url}: {dropped}; check the network, start again") from dropped
            say(f"{dropped}; trying again in {pause_s:g} s")
            time.sleep(pause_s)
    part.replace(archive)
    notes.unlink()
    return archive


def fetch(url: str, part: Path, notes: Path) -> None:
    """Fetch what ``part`` lacks; all of it if the remote file is not as ``notes`` say it was."""
    known = notes.read_text(encoding="utf-8") if notes.exists() else ""
    start = size_of(part)
    response = connect(url, start)
    begins = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
    if start and not (begins and state_of(url, response) == known):
        response.close()
        start, response = 0, connect(url)
    length = length_of(response)
    with response, part.open("ab" if start else "wb") as file:
        notes.write_text(state_of(url, response), encoding="utf-8")
        for chunk in reported_chunks(response, start, length):
            file.write(chunk)
    if length not in (None, size_of(part)):
        raise Dropped(f"{size_of(part):,} of {length:,} bytes came")


def connect(url: str, start: int = 0) -> HTTPResponse:
    """Ask for a file from a byte on; a server may answer with all of it."""
    headers = {"User-Agent": "tlae", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        response: HTTPResponse = urlopen(Request(url, headers=headers), timeout=TIMEOUT_S)
        return response
    except HTTPError as error:
        error.close()
        if error.code == 416 and start:  # the remote file is shorter now
            return connect(url)
        answer = f"the server says {error.code} {error.reason}"
        if error.code >= 500:
            raise Dropped(answer) from error
        raise Problem(f"{url}: {answer}; give another --url") from error
    except (OSError, HTTPException, ValueError) as error:
        raise Dropped(f"no answer ({getattr(error, 'reason', error)})") from error


def length_of(response: HTTPResponse) -> int | None:
    """Bytes of the whole remote file, also if a part was asked for; None: the server is silent."""
    headers = response.headers
    found = re.search(r"\d+$", headers.get("Content-Range") or headers.get("Content-Length") or "")
    return int(found[0]) if found else None


def state_of(url: str, response: HTTPResponse) -> str:
    """What tells one state of a remote file from another."""
    tags = [response.headers.get(name) for name in ("ETag", "Last-Modified")]
    return json.dumps([url, *tags, length_of(response)])


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def reported_chunks(response: HTTPResponse, start: int, length: int | None) -> Iterator[bytes]:
    """The body of an answer, piece by piece, with a progress line every few seconds."""
    begun = said = time.monotonic()
    done = start
    try:
        while chunk := response.read(CHUNK_BYTES):
            yield chunk
            done += len(chunk)
            now = time.monotonic()
            if now - said >= REPORT_S:
                said, rate = now, (done - start) / (now - begun)
                left = f"{(length - done) / rate:,.0f} s left" if length else "length unknown"
                say(f"{done / 1e6:,.0f} MB fetched, {rate / 1e6:.1f} MB/s, {left}")
    except (OSError, HTTPException) as error:
        raise Dropped(f"the connection broke ({error})") from error


def check_digest(archive: Path, expected: str | None) -> None:
    """Compare with the digest that the user gave; without one, print it for next time."""
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if expected is None:
        print(f"sha256 of {archive}: {found}")
    elif found != expected.lower():
        raise Problem(f"{archive} has sha256 {found}, not {expected}; delete it and fetch it again")


def unpack(archive: Path, out: Path, wanted: Sequence[str]) -> None:
    """Unpack sets into a folder, each complete or not at all."""
    places, left_out = contents(archive)
    if absent := set(wanted) - {place.parts[0] for place in places.values()}:
        raise Problem(f"{archive} must hold {', '.join(sorted(absent))}, it does not; see --only")
    temporary = out / "UCSD.unpacking"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        extract(archive, {n: p for n, p in places.items() if p.parts[0] in wanted}, temporary)
        for name in wanted:
            (temporary / name).replace(out / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if left_out:
        print(f"left out: {left_out:,} hidden files, backups and files outside the sets")


def contents(archive: Path) -> tuple[dict[str, PurePosixPath], int]:
    """Where each file goes, by its name in the archive, and how many files are left out.

    Reads all of the archive, so that a bad one is refused before anything is written.
    """
    places: dict[str, PurePosixPath] = {}
    left_out = 0
    with opened(archive) as tar:
        for member in tar:
            check_safe(member, archive)
            if member.isdir():
                continue
            parts = PurePosixPath(member.name).parts
            depth = next((k for k, part in enumerate(parts[:-1]) if part in SETS.values()), None)
            hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
            if depth is None or hidden or member.name.endswith("~"):
                left_out += 1
            else:
                places[member.name] = PurePosixPath(*parts[depth:])
    return places, left_out


def check_safe(member: tarfile.TarInfo, archive: Path) -> None:
    """Refuse what could write outside the folder, or is no plain file or folder."""
    path = PureWindowsPath(member.name)  # knows both kinds of slashes, and drives
    reason = "its name leads elsewhere" if path.anchor or ".." in path.parts else ""
    if not (member.isfile() or member.isdir()):
        reason = "it is a link or a device"
    if reason:
        raise Problem(f"{archive} is refused whole: it holds {member.name!r}, and {reason}")


def extract(archive: Path, places: Mapping[str, PurePosixPath], folder: Path) -> None:
    """Write the chosen files; owners, modes and times in the archive do not count."""
    say(f"unpacking {len(places):,} files")
    with opened(archive) as tar:
        for member in tar:
            if member.name not in places or (source := tar.extractfile(member)) is None:
                continue
            path = folder / places[member.name]
            path.parent.mkdir(parents=True, exist_ok=True)
            with source, path.open("wb") as file:
                shutil.copyfileobj(source, file, CHUNK_BYTES)


@contextmanager
def opened(archive: Path) -> Iterator[tarfile.TarFile]:
    """A tar file to be read from start to end, gzipped or not."""
    with archive.open("rb") as file:
        opener = gzip.open if file.read(2) == b"\x1f\x8b" else open
    try:
        with opener(archive, "rb") as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            yield tar
            while stream.read(CHUNK_BYTES):  # tarfile takes a bad header for the end, without
                pass  # a word; gzip's checksum, which would tell, stands at the real end
    except DAMAGE as error:
        raise Problem(f"{archive} is damaged ({error}); delete it and fetch it again") from error


def summary(folder: Path) -> str:
    """What a set holds, and the commands to go on with."""
    lines = [f"{folder}:"]
    for split in ("Train", "Test"):
        folders = [path for path in (folder / split).glob("[!.]*") if path.is_dir()]
        clips = [path for path in folders if not path.name.endswith("_gt")]
        files = [path for clip in clips for path in clip.glob("[!.]*")]
        frames = sum(path.suffix.lower() in PICTURES for path in files)
        masks = f", masks for {len(folders) - len(clips):,} of them" * (len(folders) > len(clips))
        lines.append(f"  {split}: {len(clips):,} clips{masks}, {frames:,} frames")
    name = folder.name.lower().removeprefix("ucsd")
    train, test = shlex.quote(f"{folder}/Train"), shlex.quote(f"{folder}/Test")
    lines += [
        "next:",
        f"  tlae train footage={train} name={name}",
        f"  tlae score model_file=checkpoints/{name}/model.safetensors footage={test}",
        f"  tlae evaluate scores=scores/{name}-Test labels={test}",
    ]
    return "\n".join(lines)


def say(line: str) -> None:
    """A line for the user beside the results."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
