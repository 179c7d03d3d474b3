"""Markdown, as far as the tables of the lab need it."""


def table_row(*cells: str) -> str:
    """One row of a table."""
    return f"| {' | '.join(cells)} |"


def table_head(*cells: str) -> list[str]:
    """The first row of a table, and the line beneath it."""
    return [table_row(*cells), table_row(*["---"] * len(cells))]
