"""Take the user's answers: things called normal, answers taken back; see ``scoring.answers``."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path

from tlae.config_scores import EventsConfig
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.scorable import Scorable, load_scorable, run_name
from tlae.scoring.answers import FIELD, Answers, peak_sizes, read_answers, with_answers
from tlae.scoring.events import SCENE, Event
from tlae.scoring.interest import ranked
from tlae.scoring.marks import NORMAL, EventScores, Mark
from tlae.scoring.results import Scores, read_results, write_events
from tlae.whole_file import explain_os_errors, write_json

GO_TOGETHER = {"scores", "model_file", "normal", "take_back"}  # settings of an answer


@dataclass(frozen=True)
class AnswersReport:
    """What answers did.

    Attributes:
        scores: with their events as they are shown now.
        path: of the file of answers.
        given: answers that are new.
        taken_back: answers that are gone.
    """

    scores: Scores
    path: Path
    given: list[Mark]
    taken_back: list[Mark]


def is_answer(cfg: EventsConfig) -> bool:
    """Whether settings give answers, rather than ask for events."""
    return cfg.normal is not None or cfg.take_back is not None


def answer(cfg: EventsConfig) -> AnswersReport:
    """Write answers beside the model, and judge the events of a scores folder anew by them.

    The events keep their numbers; only what is shown changes.

    Args:
        cfg: settings of `tlae events`; nobody else writes into the folder.

    Raises:
        UserError: an id is unknown, given twice or no thing; the scores are of another model; the
            file of answers is damaged.
    """
    _require_alone(cfg)
    results = read_results(Path(cfg.scores).expanduser())
    model = model_of(results, cfg.model_file)
    assert model.file is not None
    with held_folder(read_answers(model.file).path, "try again then"):
        answers = read_answers(model.file)
        taken_back = _taken_back(answers, results, _ids(cfg.take_back, "take_back"))
        kept = tuple(mark for mark in answers.marks if mark not in taken_back)
        answers = replace(answers, marks=kept)
        for number in _ids(cfg.normal, "normal"):
            event, size_hw = _event_of(number, results)
            if known := answers.of(event, size_hw):
                raise UserError(
                    f"normal must name events without an answer, {number} is alike {known} "
                    f"already; take_back={known} takes that back"
                )
            mark = _mark(answers.next_key, event, size_hw, results, model)
            answers = answers.with_mark(mark)
        events = with_answers(all_events(results), results.columns, answers)
        with explain_os_errors(answers.path):
            answers.write()
    write_events(results.folder, ranked(events))
    summary = results.summary | {FIELD: answers.facts(events)}
    write_json(results.folder / "summary.json", summary)
    given = [mark for mark in answers.marks if mark not in kept]
    return AnswersReport(read_results(results.folder), answers.path, given, taken_back)


def model_of(results: Scores, model_file: str | None) -> Scorable:
    """The model that scored a folder.

    Raises:
        UserError: it is gone, or another one lies there now.
    """
    folder = results.folder
    path = Path(model_file).expanduser() if model_file else _recorded(results)
    if not path.is_file():
        raise UserError(
            f"the model that scored {folder} must be at {path}; give model_file=... where it is now"
        )
    model = load_scorable(path)
    if results.job.get("model", digest := model.digest()) != digest:
        raise UserError(
            f"{folder} was scored by another model than {path} holds now; give model_file=... "
            "where that one is, or score again with this one"
        )
    return model


def _recorded(results: Scores) -> Path:
    """Where the model was; a relative place is of the folder in which `tlae score` was called.

    That folder is mostly this one, or one above the scores; the content of the file tells.
    """
    path = Path(results.summary.get("model_file", "")).expanduser()
    above = [parent / path for parent in results.folder.resolve().parents]
    return next((place for place in (path, *above) if place.is_file()), path)


def all_events(results: Scores) -> list[Event]:
    """Events of a folder in the order of their begin, shown or hidden."""
    events = [*results.events, *results.hidden]
    return sorted(events, key=lambda event: (len(event.id), event.id))


def _require_alone(cfg: EventsConfig) -> None:
    """Refuse settings that would give the events other numbers than the answers speak of."""
    default = EventsConfig(scores=cfg.scores)
    names = [field.name for field in fields(cfg) if field.name not in GO_TOGETHER]
    also = [name for name in names if getattr(cfg, name) != getattr(default, name)]
    if also:
        raise UserError(
            "normal and take_back speak of the events as they are numbered now, so they take no "
            f"settings that find events anew, got {', '.join(also)}; give them in another command"
        )


def _ids(text: str | None, setting: str) -> list[str]:
    """`E0012,E0031` as a list; a list of Python has brackets."""
    ids = [word.strip() for word in (text or "").strip("[]").split(",")]
    found = [word for word in ids if word]
    if text is not None and not found:
        raise UserError(f"{setting} must name events, such as {setting}=E0012,E0031, got {text!r}")
    if twice := [word for word in found if found.count(word) > 1]:
        raise UserError(f"{setting} must name each event once, got {twice[0]} twice")
    return found


def _event_of(number: str, results: Scores) -> tuple[Event, tuple[int, int]]:
    """A thing by its id, and the size of its picture."""
    events = all_events(results)
    found = [event for event in events if event.id == number]
    if not found:
        folder = f"; normal_scores={number} gives scores to calibrate on"
        raise UserError(
            f"normal must name events of {results.folder}, got {number!r}; {_known(events)}"
            + folder * Path(number).expanduser().is_dir()
        )
    event = found[0]
    if event.kind != SCENE:
        raise UserError(
            f"normal must name events of the scene, {number} is a fault of the camera "
            f"({event.health}); mend that, or leave the frames out"
        )
    if not event.what:
        raise UserError(
            f"normal must name things of stills, {number} is a stretch of alarm; find events with "
            "by=thing, or give `tlae calibrate` more normal footage"
        )
    (size_hw,) = peak_sizes([event], results.columns)
    return event, size_hw


def _known(events: Sequence[Event]) -> str:
    if not events:
        return "it holds no events"
    if len(events) == 1:
        return f"it holds {events[0].id} alone"
    return f"it holds {events[0].id} to {events[-1].id}"


def _taken_back(answers: Answers, results: Scores, ids: Sequence[str]) -> list[Mark]:
    """Answers by their keys, or by the events that they hide."""
    of_key = {mark.key: mark for mark in answers.marks}
    hider = {event.id: event.hidden_by for event in all_events(results)}
    found: list[Mark] = []
    for name in ids:
        mark = of_key.get(hider.get(name, name))
        if mark is None:
            raise UserError(_no_answer(name, answers, hider))
        if mark not in found:  # one answer may hide several of the events
            found.append(mark)
    return found


def _no_answer(name: str, answers: Answers, hider: dict[str, str]) -> str:
    keys = ", ".join(mark.key for mark in answers.marks[:20]) or "none"
    known = f"{answers.path} holds {keys}"
    if hider.get(name) == "":
        return f"take_back must name hidden events or answers, {name} is shown; {known}"
    return f"take_back must name hidden events or answers, got {name!r}; {known}"


def _mark(
    key: str, event: Event, size_hw: tuple[int, int], results: Scores, model: Scorable
) -> Mark:
    assert model.file is not None
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    name = results.folder.resolve().name
    event = replace(event, hidden_by="")
    scores = EventScores(1.0)
    return Mark(
        *(key, NORMAL, name, run_name(model.file), model.digest(), event, scores),
        *(size_hw, now),
    )
