"""The parts of a fleet behind each other: one table, one list of events, one summary.

Nothing is computed here, and no table is held: a part is read, gets the columns camera and day, and
is written. Only parts whose note says that they are done are taken.
"""

import csv
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tlae import __version__
from tlae.fleet.job import DONE, Outcome, read_outcome
from tlae.fleet.plan import NOTES, PARTS
from tlae.footage.sources.listing import natural_key
from tlae.scoring.result_files import reporting_damage
from tlae.whole_file import whole_file, write_json

TABLE, EVENTS, JOBS, SUMMARY = "scores.parquet", "events.csv", "jobs.csv", "summary.json"
ROWS_AT_ONCE = 65_536
JOB_COLUMNS = ("state", "frames", "unreadable", "events", "seconds", "model", "reason")


@dataclass(frozen=True)
class Merged:
    """What a fleet has in all.

    Attributes:
        folder: of the fleet.
        done: outcomes of jobs that are done.
        failed: outcomes of jobs that failed.
    """

    folder: Path
    done: list[Outcome]
    failed: list[Outcome]


def merge(folder: Path, planned: Set[str]) -> Merged:
    """Write the merged files of a fleet.

    Args:
        folder: of the fleet, with its parts and notes.
        planned: names of the jobs whose footage is there. Of others, only those that are done
            count: footage may go after it was scored, and what failed then is no failure any more.

    Raises:
        UserError: a part is damaged.
    """
    outcomes = [
        outcome for outcome in _outcomes(folder) if outcome.state == DONE or outcome.name in planned
    ]
    done = [outcome for outcome in outcomes if outcome.state == DONE]
    failed = [outcome for outcome in outcomes if outcome.state != DONE]
    with whole_file(folder / TABLE) as temporary:
        _join_tables(folder, done, temporary)
    with whole_file(folder / EVENTS) as temporary:
        _join_events(folder, done, temporary)
    with whole_file(folder / JOBS) as temporary:
        _write_jobs(outcomes, temporary)
    write_json(folder / SUMMARY, _summary(done, failed))
    return Merged(folder, done, failed)


def _outcomes(folder: Path) -> Iterator[Outcome]:
    notes = (folder / NOTES).glob("*/*.json")
    for note in sorted(
        notes, key=lambda note: (natural_key(note.parent.name), natural_key(note.stem))
    ):
        if (outcome := read_outcome(note)) is not None:
            yield outcome


def _join_tables(folder: Path, done: Sequence[Outcome], target: Path) -> None:
    parts = [(outcome, folder / PARTS / outcome.name) for outcome in done]
    schemas = []
    for _, part in parts:
        with reporting_damage(part, TABLE):
            schemas.append(pq.read_schema(part / TABLE).remove_metadata())
    names = [pa.field("camera", pa.string()), pa.field("day", pa.string())]
    schema = pa.unify_schemas([pa.schema(names), *schemas], promote_options="permissive")
    with pq.ParquetWriter(target, schema) as writer:
        for outcome, part in parts:
            with reporting_damage(part, TABLE), pq.ParquetFile(part / TABLE) as file:
                for batch in file.iter_batches(ROWS_AT_ONCE):
                    writer.write_table(_named(batch, outcome, schema))


def _named(batch: pa.RecordBatch, outcome: Outcome, schema: pa.Schema) -> pa.Table:
    """Rows of a part with camera and day, in the columns of the whole."""
    table = pa.Table.from_batches([batch])
    columns = {
        "camera": pa.repeat(pa.scalar(outcome.camera), len(table)),
        "day": pa.repeat(pa.scalar(outcome.day), len(table)),
        **{name: table[name] for name in table.column_names},
    }
    missing = {name: pa.nulls(len(table)) for name in schema.names if name not in columns}
    whole = {**columns, **missing}
    return pa.table({name: whole[name] for name in schema.names}).cast(schema)


def _join_events(folder: Path, done: Sequence[Outcome], target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        header: list[str] | None = None
        for outcome in done:
            part = folder / PARTS / outcome.name
            with (
                reporting_damage(part, EVENTS),
                (part / EVENTS).open(encoding="utf-8", newline="") as rows,
            ):
                reader = csv.reader(rows)
                names = next(reader)
                if header is None:
                    header = names
                    writer.writerow(["camera", "day", *header])
                if names != header:
                    raise ValueError("its columns are those of another version")
                writer.writerows([outcome.camera, outcome.day, *row] for row in reader)


def _write_jobs(outcomes: Sequence[Outcome], target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["camera", "day", *JOB_COLUMNS])
        for outcome in outcomes:
            facts = {**vars(outcome), "model": outcome.facts.get("model", "")}
            writer.writerow([outcome.camera, outcome.day, *(facts[name] for name in JOB_COLUMNS)])


def _summary(done: Sequence[Outcome], failed: Sequence[Outcome]) -> dict[str, object]:
    return {
        "tlae": __version__,
        "cameras": len({outcome.camera for outcome in done}),
        "jobs": len(done),
        "frames": sum(outcome.frames for outcome in done),
        "unreadable": sum(outcome.unreadable for outcome in done),
        "events": sum(outcome.events for outcome in done),
        "hidden": sum(outcome.hidden for outcome in done),
        "seconds": round(sum(outcome.seconds for outcome in done), 1),
        "failed": [{"job": outcome.name, "reason": outcome.reason} for outcome in failed],
    }
