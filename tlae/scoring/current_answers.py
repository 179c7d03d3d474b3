"""The user's answers while a camera is watched: read again whenever their file changes.

What cannot be used while frames arrive is no reason to stop: it is logged once, and the answers
before it count on.
"""

import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.footage.preprocess import same_shape
from tlae.number_words import how_many
from tlae.scoring.answers import answers_path, read_answers
from tlae.scoring.events import Event
from tlae.scoring.marks import NORMAL, EventScores, Mark
from tlae.whole_file import explain_os_errors

logger = logging.getLogger(__name__)


class CurrentAnswers:
    """The answers beside a model, as they are now.

    Args:
        model_file: they lie beside it.

    Raises:
        UserError: they are damaged.
    """

    def __init__(self, model_file: Path) -> None:
        self._model_file, self._path = model_file, answers_path(model_file)
        self._stamp, self._answers = self._stamped(), read_answers(model_file)
        self._odd_shape = False

    def look(self) -> bool:
        """Read the file again if it changed; returns whether it did."""
        stamp = self._stamped()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._answers = read_answers(self._model_file)
        except UserError as error:
            logger.warning("%s; those before count on", error)
            return False
        logger.info("answers: %d in %s", len(self._answers.marks), self._path)
        return True

    def of(self, event: Event, size_hw: tuple[int, int]) -> str:
        """Key of the answer that hides an event; "": none does, see ``Answers.of``.

        Answers about pictures of another shape hide nothing.
        """
        marks = self._answers.marks
        fitting = tuple(
            mark for mark in marks if mark.size_hw is None or same_shape(mark.size_hw, size_hw)
        )
        if len(fitting) < len(marks) and not self._odd_shape:
            self._odd_shape = True
            height, width = size_hw
            logger.warning(
                "without effect in %s: %s of pictures of another shape than %dx%d",
                *(self._path, how_many(len(marks) - len(fitting), "answer"), width, height),
            )
        return replace(self._answers, marks=fitting).of(event, size_hw)

    def _stamped(self) -> tuple[int, ...] | None:
        try:
            facts = self._path.stat()
        except OSError:
            return None
        return facts.st_ino, facts.st_size, facts.st_mtime_ns


def give_answer(
    model_file: Path, event: Event, size_hw: tuple[int, int], said_of: tuple[str, str, str]
) -> None:
    """Call a thing normal that was found live; of one that went on, the whole counts once it ended.

    Args:
        model_file: the answers lie beside it.
        event: the thing; nothing is written where an answer of another event hides it already.
        size_hw: of the picture that its box is of.
        said_of: name of the camera, id of the model, sha256 of its file.

    Raises:
        UserError: the file is damaged, or cannot be written.
    """
    event = replace(event, hidden_by="")
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    with held_folder(answers_path(model_file), "try again then"):
        answers = read_answers(model_file)
        known = next((one for one in answers.marks if _is_of(one, event, said_of[0])), None)
        if known is None and answers.of(event, size_hw):
            return
        key = answers.next_key if known is None else known.key
        mark = Mark(key, NORMAL, *said_of, event, EventScores(1.0), size_hw, now)
        if known is None:
            answers = answers.with_mark(mark)
        else:
            marks = tuple(mark if one is known else one for one in answers.marks)
            answers = replace(answers, marks=marks)
        with explain_os_errors(answers.path):
            answers.write()


def take_back_answer(model_file: Path, event: Event, size_hw: tuple[int, int]) -> None:
    """Take back the answer that hides an event; nothing where none does.

    Raises:
        UserError: the file is damaged, or cannot be written.
    """
    if not read_answers(model_file).of(event, size_hw):
        return
    with held_folder(answers_path(model_file), "try again then"):
        answers = read_answers(model_file)
        key = answers.of(event, size_hw)
        kept = tuple(mark for mark in answers.marks if mark.key != key)
        with explain_os_errors(answers.path):
            replace(answers, marks=kept).write()


def _is_of(mark: Mark, event: Event, camera: str) -> bool:
    """Whether an answer was given on this very event, perhaps while it went on."""
    of = mark.event.id, mark.event.started_at, mark.event.start_s
    return mark.session == camera and of == (event.id, event.started_at, event.start_s)
