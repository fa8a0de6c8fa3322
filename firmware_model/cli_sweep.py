"""`sweep`: what evaluates a plan's rows, progress, and what is printed."""


def one_row(path: str, row: int, wav: str | None, out: str | None, json: bool) -> None:
    """One row alone."""


def whole(
    path: str,
    out: str | None,
    jobs: int | None,
    cluster: str | None,
    retry: bool,
    wav: str | None,
    json: bool,
) -> None:
    """All rows that are missing."""
