"""`tlae <command> key=value ...`: sub-commands over Hydra's compose.

Hydra and the commands are imported only when needed, so that `tlae --help` is instant.
"""

import errno
import importlib
import io
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tlae import __version__
from tlae.errors import UserError, nearest
from tlae.log_lines import printed_log
from tlae.missing_library import explaining_imports
from tlae.progress import LINES, progress_as

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_PIPE_CLOSED = 141
MOST_SHOWN = 200  # characters of a name in an error
DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)


@dataclass(frozen=True)
class Command:
    """One line of the table.

    Attributes:
        module: has ``run(cfg)`` and opens with its command line.
        settings: module and name of the dataclass of its settings.
        summary: what it does.
    """

    module: str
    settings: str
    summary: str


COMMANDS = {
    "train": Command(
        "tlae.commands.train", "tlae.config:TrainConfig", "learn what is normal from normal footage"
    ),
    "score": Command(
        "tlae.commands.score",
        "tlae.config:ScoreConfig",
        "say of every frame how unusual it is, and where",
    ),
    "fleet": Command(
        "tlae.commands.fleet",
        "tlae.fleet.settings:FleetConfig",
        "score many cameras and days, on several machines",
    ),
    "watch": Command(
        "tlae.commands.watch",
        "tlae.watching.settings:WatchConfig",
        "watch a camera or folder live, and raise alarms",
    ),
    "calibrate": Command(
        "tlae.commands.calibrate",
        "tlae.config:CalibrateConfig",
        "declare footage normal, without retraining",
    ),
    "export": Command(
        "tlae.commands.export",
        "tlae.exporting.settings:ExportConfig",
        "write a model as ONNX, to score without torch",
    ),
    "events": Command(
        "tlae.commands.events",
        "tlae.config_scores:EventsConfig",
        "find events anew: other alarms, zones; cut out clips",
    ),
    "mask": Command(
        "tlae.commands.mask",
        "tlae.config:MaskConfig",
        "propose what to ignore: clocks, restless places",
    ),
    "render": Command(
        "tlae.commands.render",
        "tlae.config_scores:RenderConfig",
        "draw scores over the footage as H.264 video",
    ),
    "report": Command(
        "tlae.commands.report",
        "tlae.config_scores:ReportConfig",
        "write one HTML page that opens from disk",
    ),
    "evaluate": Command(
        "tlae.commands.evaluate",
        "tlae.config_scores:EvaluateConfig",
        "measure scores against labels, every protocol",
    ),
    "benchmark": Command(
        "tlae.commands.benchmark",
        "tlae.lab.settings:BenchmarkConfig",
        "train, score and evaluate nets beside trivial baselines",
    ),
    "benchmark speed": Command(
        "tlae.commands.benchmark_speed",
        "tlae.lab.settings:SpeedConfig",
        "time every stage, and the whole beside them",
    ),
    "compare": Command(
        "tlae.commands.compare",
        "tlae.lab.settings:CompareConfig",
        "compare models on many scenes and on other days",
    ),
    "plant": Command(
        "tlae.commands.plant",
        "tlae.lab.settings:PlantConfig",
        "plant known anomalies into normal footage",
    ),
    "scene": Command(
        "tlae.commands.scene",
        "tlae.lab.settings:SceneConfig",
        "draw footage of a scene with known anomalies",
    ),
    "site": Command(
        "tlae.commands.site",
        "tlae.lab.settings:SiteConfig",
        "draw weeks of stills of a car park or a garden",
    ),
    "describe": Command(
        "tlae.commands.describe",
        "tlae.image_sets.settings:DescribeConfig",
        "describe pictures by numbers, to sort them",
    ),
    "cluster": Command(
        "tlae.commands.cluster",
        "tlae.image_sets.settings:ClusterConfig",
        "sort described pictures into groups and outliers",
    ),
    "explore": Command(
        "tlae.commands.explore",
        "tlae.explorer.settings:ExploreConfig",
        "map described pictures in the browser",
    ),
    "novelty fit": Command(
        "tlae.commands.novelty_fit",
        "tlae.image_sets.fit_settings:NoveltyFitConfig",
        "learn which pictures are like those of a folder",
    ),
    "novelty score": Command(
        "tlae.commands.novelty_score",
        "tlae.image_sets.settings:NoveltyScoreConfig",
        "judge new pictures: like them or not",
    ),
    "filter fit": Command(
        "tlae.commands.filter_fit",
        "tlae.image_sets.fit_settings:FilterFitConfig",
        "learn to separate good pictures from bad ones",
    ),
    "filter score": Command(
        "tlae.commands.filter_score",
        "tlae.image_sets.settings:FilterScoreConfig",
        "say of new pictures: good or bad",
    ),
    "feed": Command(
        "tlae.commands.feed",
        "tlae.feeds.settings:FeedConfig",
        "judge new pictures of an RSS, Atom or JSON feed",
    ),
    "serve": Command(
        "tlae.commands.serve",
        "tlae.serving.settings:ServeConfig",
        "serve models over HTTP, with a live page",
    ),
    "serve zmq": Command(
        "tlae.commands.serve_zmq",
        "tlae.serving.settings:ServeZmqConfig",
        "filter pictures that clients send over ZeroMQ",
    ),
    "demo": Command(
        "tlae.commands.demo",
        "tlae.lab.settings:DemoConfig",
        "make a scene, train, score and render it",
    ),
}

# Commands that bring torch, which takes seconds: a terminal shows what goes on.
SLOW_TO_LOAD = (
    *("train", "score", "fleet", "watch", "serve", "calibrate", "export", "events", "benchmark"),
    *("benchmark speed", "demo"),
)

USAGE = """\
tlae {version}: learns what is normal for one fixed camera, and shows what is not.

usage: tlae <command> key=value ...

commands:
{commands}

  tlae <command> --help        its settings, with defaults
  tlae <command> ... --cfg job the whole configuration; runs nothing (--resolve fills in references)
  tlae <command> ... -m        one run for each combination of comma-separated values (--multirun)
  --config-dir DIR             look for YAML files here too
  --version

example:
  tlae train  footage=camera/normal name=gate
  tlae score  model_file=checkpoints/gate/model.safetensors footage=camera/today
  tlae render scores=scores/gate-today
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2: bad input, 130: interrupted)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: odd file names can be shown
    if not words or words[0] in ("-h", "--help", "help"):
        print(USAGE.format(version=__version__, commands=_listed(COMMANDS)), end="")
        return 0
    if words[0] == "--version":
        print(__version__)
        return 0
    # Threads of torch sleep while they wait: beside other work, spinning is many times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    name, settings = _split(words)
    try:
        with printed_log(), progress_as(LINES):
            return _run_command(name, settings)
    except UserError as error:
        print(f"tlae {name}: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except UnicodeEncodeError as error:
        place = repr(error.object)[:MOST_SHOWN]
        print(
            f"tlae {name}: folders and files to be written must have names in UTF-8, got {place}; "
            "choose another place or name (footage may lie anywhere)",
            file=sys.stderr,
        )
        return EXIT_BAD_INPUT
    except BrokenPipeError:  # `tlae ... | head`: who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE_CLOSED
    except OSError as error:
        if (text := _disk_trouble(error)) is None:
            raise
        print(f"tlae {name}: {text}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print(f"\ntlae {name}: interrupted; the same command continues", file=sys.stderr)
        return EXIT_INTERRUPTED


def _listed(names: Iterable[str]) -> str:
    """Commands with what they do, a line each."""
    return "\n".join(f"  {name:<15} {COMMANDS[name].summary}" for name in names)


def _disk_trouble(error: OSError) -> str | None:
    """What the user can mend, in one line; None where it is a fault of the program."""
    if error.errno == errno.ENAMETOOLONG:
        return f"a name must be shorter than {repr(error.filename)[:MOST_SHOWN]}; give another"
    if error.errno not in DISK_TROUBLE:
        return None
    place = f" ({error.filename})" if error.filename else ""
    return (
        f"{error.strerror}{place}; free some space or choose another place; what is done is kept, "
        "the same command continues"
    )


def _split(words: list[str]) -> tuple[str, list[str]]:
    """The command, of one or two words, and what follows it."""
    plain = [word for word in words[:2] if "=" not in word and not word.startswith("-")]
    taken = 2 if len(plain) == 2 and any(c.startswith(f"{words[0]} ") for c in COMMANDS) else 1
    return " ".join(words[:taken]), words[taken:]


def _run_command(name: str, words: list[str]) -> int:
    if name not in COMMANDS:
        kin = [command for command in COMMANDS if command.split()[0] == name.split()[0]]
        if kin and {"-h", "--help"} & {*words}:
            print(f"{_listed(kin)}\n\n  tlae <command> --help        its settings, with defaults")
            return 0
        raise UserError(f"no such command; {nearest(name, kin or COMMANDS)}")
    # These bring Hydra, which `tlae --help` must not wait for.
    from tlae import compose
    from tlae.command_line import parse
    from tlae.help import help_text
    from tlae.sweep import run_each
    from tlae.tensor_file import EXPORTED_SUFFIX

    request = parse(name, words)
    if request.help:
        print(help_text(request, COMMANDS[name].module))
        return 0
    if request.multirun:
        return run_each(request)
    cfg = compose.compose(request)
    if request.show_config:
        print(compose.to_yaml(cfg, resolve=request.resolve), end="")
        return 0
    settings = compose.settings_of(name, cfg)
    is_exported = str(getattr(settings, "model_file", "")).endswith(EXPORTED_SUFFIX)
    if name in SLOW_TO_LOAD and not is_exported and sys.stderr.isatty():
        print(f"tlae {name}: loading torch", file=sys.stderr, flush=True)
    with explaining_imports():
        importlib.import_module(COMMANDS[name].module).run(settings)
    return 0
