"""What the documentation names is there: links, scripts, commands and their settings."""

import re
import shlex
from itertools import zip_longest
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tests.test_architecture import ARROWS, GROUND
from tlae import compose
from tlae.cli import COMMANDS
from tlae.command_line import parse

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def blocks_in(page: Path) -> list[tuple[str, str]]:
    """Language, empty if none is given, and text of each fenced block."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)


def commands_in(page: Path) -> list[str]:
    """Lines of shell in the page, without comments; each line of a chain."""
    lines = []
    for block in [text for language, text in blocks_in(page) if language == "sh"]:
        for line in block.replace("\\\n", " ").splitlines():
            lines += [part.strip() for part in re.split(r"&&|\|\|", line.partition(" #")[0])]
    return [line for line in lines if line]


COMMAND_LINES = sorted(
    {(page.name, line) for page in PAGES for line in commands_in(page) if line.startswith("tlae ")}
)
SCRIPT_LINES = sorted(
    {line for page in PAGES for line in commands_in(page) if line.startswith("python scripts/")}
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def one_by_one(words: list[str]) -> list[list[str]]:
    """Runs in which every name of a sweep occurs; ``model=a,b seed=0,1`` gives two, of seed 0."""
    choices = []
    for word in words:
        key, _, value = word.partition("=")
        values = [value] if "[" in value else value.split(",")
        choices.append([f"{key}={v}" for v in (values[:1] if values[0].isdigit() else values)])
    return [
        [word or all_[0] for word, all_ in zip(run, choices, strict=True)]
        for run in zip_longest(*choices)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_with_commands_are_marked_as_shell(page: Path) -> None:
    """Commands in a block of no language would not be checked below."""
    unmarked = "".join(text for language, text in blocks_in(page) if not language)
    assert not re.findall(r"^(?:tlae|make|pip|python3?) .*", unmarked, flags=re.MULTILINE)


@pytest.mark.parametrize(("page", "line"), COMMAND_LINES)
def test_commands_take_their_settings(page: str, line: str) -> None:
    words = shlex.split(line)[1:]
    if words[:1] == ["<command>"] or words[0].startswith("-"):
        return
    two = " ".join(words[:2])
    command = two if two in COMMANDS else words[0]
    assert command in COMMANDS
    given = [word for word in words[len(command.split()) :] if "..." not in word]
    plain = [word for word in given if word not in ("-m", "--multirun")]
    for run in one_by_one(plain) if plain != given else [plain]:
        cfg = compose.compose(parse(command, run))
        for key in OmegaConf.missing_keys(cfg):
            OmegaConf.update(cfg, key, "x")
        assert compose.settings_of(command, cfg) is not None, page


@pytest.mark.parametrize("line", SCRIPT_LINES)
def test_scripts_are_there(line: str) -> None:
    assert (ROOT / shlex.split(line)[1]).is_file()


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_table_of_parts_says_who_may_import_whom() -> None:
    rows = re.findall(r"^\| `(\w+)/` \|.*\| ([^|]*) \|$", ARCHITECTURE, flags=re.MULTILINE)
    written = {part: set(re.findall(r"`(\w+)(?:/|\.py)`", used)) for part, used in rows}
    expected = {part: used - GROUND for part, used in ARROWS.items()}
    assert {part: written[part] for part in expected} == expected


def test_the_picture_of_the_parts_shows_these_arrows() -> None:
    """Shortcuts are left out: an arrow may also be a way through the picture."""
    drawn: dict[str, set[str]] = {}
    for start, end in re.findall(r"^ +(\w+) --> (\w+)$", ARCHITECTURE, flags=re.MULTILINE):
        drawn.setdefault(start, set()).add(end)
    for part, used in ARROWS.items():
        assert drawn.get(part, set()) <= used | {"ground"}, part
        reached = set(drawn.get(part, set()))
        while more := {end for start in reached for end in drawn.get(start, set())} - reached:
            reached |= more
        assert used - GROUND <= reached, part


def test_the_install_line_of_the_readme_brings_what_its_commands_need() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    installed = re.search(r"-e '\.\[([a-z,]+)\]'", readme)
    assert installed is not None
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = dict(re.findall(r"^(\w+) = \[.*?# (tlae [^,\n]+)", project, re.MULTILINE))
    assert {"export", "feed", "images", "serve"} <= set(extras)
    needed = {extra for extra, command in extras.items() if f"{command} " in readme}
    assert needed <= set(installed[1].split(","))
