"""The ledger of a feed as a table for people and programs: ``pictures.csv``."""

import csv
from pathlib import Path

from tlae.feeds.ledger import COLUMNS, Ledger
from tlae.whole_file import explain_os_errors, whole_file

FILE = "pictures.csv"
SHOWN = tuple(name for name in COLUMNS if name != "fingerprint")


def write_table(ledger: Ledger, folder: Path) -> None:
    """Write ``pictures.csv``, one row per picture, all or nothing.

    Raises:
        UserError: the disk takes nothing.
    """
    with (
        explain_os_errors(folder / FILE),
        whole_file(folder / FILE) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file)
        table.writerow(SHOWN)
        for row in ledger.all():
            table.writerow([getattr(row, name) for name in SHOWN])
