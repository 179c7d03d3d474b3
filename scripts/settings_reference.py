"""Write docs/settings.md: every setting of every command, from the dataclasses.

python scripts/settings_reference.py
"""

from pathlib import Path

from tlae import compose
from tlae.cli import COMMANDS
from tlae.command_line import parse
from tlae.help import settings_of_command

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
HEAD = """# Settings

Every setting of every command, written by `python scripts/settings_reference.py` from the
dataclasses that define them. Settings are given as `key=value`; `???` must be given. Those of a net
(`model.*`) are of the default net; `tlae train model=NAME --help all` shows those of another one.
From Python, pass the same names: `tlae.train("camera/normal", settings={"trainer.max_epochs": 3})`.
"""


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for command, entry in COMMANDS.items():
        cfg = compose.compose(parse(command, []))
        parts.append(f"\n## tlae {command}\n\n{entry.summary[:1].upper()}{entry.summary[1:]}.\n")
        parts.append("| setting | default | meaning |\n|---|---|---|")
        for key, (default, meaning) in settings_of_command(command, cfg):
            cells = (f"`{key}`", f"`{default}`", meaning.replace("|", "\\|").replace("<", "&lt;"))
            parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
