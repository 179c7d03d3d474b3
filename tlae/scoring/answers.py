"""The user's answers: which events are normal; kept in ``answers.json`` beside the model.

An answer is a mark (``marks.py``) on an event of a scores folder. Events that are alike
(``alike.py``) are hidden from then on, whenever that model scores or events are found anew.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from tlae.errors import UserError
from tlae.scoring.alike import alike, shares_of
from tlae.scoring.events import SCENE, Event, source_hw_of
from tlae.scoring.marks import UNFIT, Mark, mark_of
from tlae.table import Table, first_rows
from tlae.whole_file import explain_os_errors, write_json

FORMAT = 1  # raise when older code could not read what is written
ANSWERS = "answers.json"
FIELD = "answers"  # of the file, and of ``summary.json``
SAME_SHAPE = 0.01  # by which the proportions of two pictures of one camera may differ


@dataclass(frozen=True)
class Answers:
    """The answers of one camera.

    Attributes:
        path: of their file, which need not be there.
        marks: of events that are normal; their keys are unique.
        given: how many there ever were: keys of answers that were taken back are not used again.
    """

    path: Path
    marks: tuple[Mark, ...] = ()
    given: int = 0

    def of(self, event: Event, size_hw: tuple[int, int]) -> str:
        """Key of the first answer that hides an event; "": none does.

        Args:
            event: that was found.
            size_hw: of the picture that its box is of.
        """
        if event.kind != SCENE or not event.what:
            return ""
        place = shares_of(event.box, size_hw)
        for mark in self.marks:
            assert mark.size_hw is not None
            if alike(event, place, mark.event, shares_of(mark.event.box, mark.size_hw)):
                return mark.key
        return ""

    @property
    def next_key(self) -> str:
        """Key of the next answer."""
        return f"A{self.given + 1:04d}"

    def with_mark(self, mark: Mark) -> "Answers":
        """With one answer more, which has the next key."""
        return replace(self, marks=(*self.marks, mark), given=self.given + 1)

    def write(self) -> None:
        """Write the file, all or nothing."""
        records = [mark.as_json() for mark in self.marks]
        write_json(self.path, {"format": FORMAT, "given": self.given, FIELD: records})

    def facts(self, events: Sequence[Event]) -> dict[str, Any]:
        """What ``summary.json`` says of them."""
        hidden = sum(bool(event.hidden_by) for event in events)
        return {"file": str(self.path), "answers": len(self.marks), "hidden": hidden}


def answers_path(model_file: Path) -> Path:
    """Where the answers of a model lie.

    Models of a run folder (``model.safetensors``, ``model-june.safetensors``, ``model.onnx``) share
    ``answers.json`` there; a model elsewhere has ``<its name>.answers.json`` beside it.
    """
    stem = model_file.stem
    alone = stem != "model" and not stem.startswith("model-")
    return model_file.with_name(f"{stem}.{ANSWERS}" if alone else ANSWERS)


def read_answers(model_file: Path) -> Answers:
    """Read the answers of a model; none where there is no file.

    Raises:
        UserError: the file is damaged, of a newer version, or written by something else.
    """
    path = answers_path(model_file)
    if not path.exists():
        return Answers(path)
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or not isinstance(facts.get(FIELD), list):
            raise ValueError(f"it holds no {FIELD}")
        if not isinstance(facts.get("format"), int) or facts["format"] > FORMAT:
            raise ValueError(f"it is of format {facts.get('format')}, known is {FORMAT}")
        marks = tuple(_answer_of(record) for record in facts[FIELD])
        if len({mark.key for mark in marks}) < len(marks):
            raise ValueError("a key stands twice")
        given = max([int(facts.get("given", 0)), *(int(mark.key[1:]) for mark in marks)])
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from error
    except (*UNFIT, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    return Answers(path, marks, given)


def with_answers(events: Sequence[Event], table: Table, answers: Answers) -> list[Event]:
    """Events that know which answer hides them.

    Args:
        events: of a scored footage.
        table: its score table.
        answers: of the model that scored it.

    Raises:
        UserError: answers are of pictures of another shape.
    """
    require_shape(answers, sizes_of(table))
    sizes = peak_sizes(events, table)
    return [
        replace(event, hidden_by=answers.of(event, size_hw))
        for event, size_hw in zip(events, sizes, strict=True)
    ]


def peak_sizes(events: Sequence[Event], table: Table) -> list[tuple[int, int]]:
    """Size (h, w) of the picture of each event's peak [px]."""
    first = first_rows(table.column("clip"))
    return [source_hw_of(table, first[event.clip] + event.peak_frame) for event in events]


def sizes_of(table: Table) -> list[tuple[int, int]]:
    """Sizes (h, w) of the pictures of a table, each once [px]."""
    pieces = table.only(["source_h", "source_w"]).pieces()
    sizes = (zip(one["source_h"].tolist(), one["source_w"].tolist(), strict=True) for one in pieces)
    return list(dict.fromkeys(chain.from_iterable(sizes)))


def require_shape(answers: Answers, sizes: Sequence[tuple[int, int]]) -> None:
    """Refuse answers whose boxes mean nothing in these pictures.

    Raises:
        UserError: the proportions differ.
    """
    for mark in answers.marks:
        assert mark.size_hw is not None
        tall, wide = mark.size_hw
        for height, width in sizes:
            if abs(tall * width - wide * height) > SAME_SHAPE * tall * width:
                raise UserError(
                    f"answers must be of pictures of this shape, {mark.key} in {answers.path} is "
                    f"of {wide}x{tall}, these are {width}x{height}; take it back "
                    f"(take_back={mark.key}) or give answers=false"
                )


def carry_answers(model_file: Path, new_file: Path) -> Path | None:
    """Let a new model file of the same camera have the answers of an earlier one.

    Returns:
        Where they were copied to; None: there are none, both share a file, or the new one has its
        own.
    """
    known, new = answers_path(model_file), answers_path(new_file)
    if not known.is_file() or new.exists():
        return None
    with explain_os_errors(new):
        shutil.copyfile(known, new)
    return new


def _answer_of(record: Any) -> Mark:
    mark = mark_of(record)
    if mark.size_hw is None or min(mark.size_hw) < 1:
        raise ValueError(f"{mark.key} must say the size of the picture")
    if not (mark.key[:1] == "A" and mark.key[1:].isdecimal()):
        raise ValueError(f"a key must be A and a number, got {mark.key[:20]!r}")
    return mark


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        f"answers must be a file that `tlae events normal=...` wrote, {path} is damaged or of "
        f"another kind: {why[:120]}; mend or delete it, or give answers=false"
    )
