"""What the documentation names is there: links, scripts, commands and their settings."""

import re
import shlex
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tlae import compose
from tlae.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def commands_in(page: Path) -> list[str]:
    """Lines of shell in the page, without comments; each line of a chain."""
    lines = []
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
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


@pytest.mark.parametrize(("page", "line"), COMMAND_LINES)
def test_commands_take_their_settings(page: str, line: str) -> None:
    words = shlex.split(line)[1:]
    if words[:1] == ["<command>"] or words[0].startswith("-"):
        return
    two = " ".join(words[:2])
    command = two if two in COMMANDS else words[0]
    assert command in COMMANDS
    given = [word for word in words[len(command.split()) :] if "..." not in word]
    sweep = any(word in ("-m", "--multirun") for word in given)
    plain = [word for word in given if "=" in word]
    if sweep:
        plain = [re.sub(r"^(model|seed)=([^,]*),.*", r"\1=\2", word) for word in plain]
    cfg = compose.compose(compose.parse(command, plain))
    for key in OmegaConf.missing_keys(cfg):
        OmegaConf.update(cfg, key, "x")
    assert compose.settings_of(command, cfg) is not None, page


@pytest.mark.parametrize("line", SCRIPT_LINES)
def test_scripts_are_there(line: str) -> None:
    assert (ROOT / shlex.split(line)[1]).is_file()
