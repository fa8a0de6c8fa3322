"""The table of a sweep for other programs: CSV, and Parquet where pyarrow is installed."""

import csv
import io
import json
from typing import Any

from firmware_model.cli_sweep_report_source import Source
from fixedpoint.errors import BittrueError, ConfigError


def csv_bytes(source: Source) -> bytes:
    """Every row, failed ones too, UTF-8; lists are JSON text, what is absent is an empty cell."""
    text = io.StringIO(newline="")
    rows = _rows(source)
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["row"], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue().encode()


def parquet_bytes(source: Source) -> bytes:
    """Every row; lists are lists, the plan and its versions stand in the metadata.

    Raises
    ------
    ConfigError
        pyarrow is not installed.
    """
    require_parquet()
    import pyarrow
    import pyarrow.parquet

    rows = _rows(source)
    names = list(rows[0]) if rows else ["row"]
    kinds = {name: _kind([row[name] for row in rows if row[name] is not None]) for name in names}
    metadata = {f"bittrue.{key}": json.dumps(value) for key, value in source.meta.items()}
    schema = pyarrow.schema(list(kinds.items()), metadata)
    columns = [
        [_text(row[name]) if kinds[name] == pyarrow.string() else row[name] for row in rows] for name in names
    ]
    content = io.BytesIO()
    try:
        pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), content)
    except pyarrow.ArrowException as error:
        raise BittrueError(f"the table cannot be written as Parquet: {error}") from error
    return content.getvalue()


def require_parquet() -> None:
    """Refuse before any work is done.

    Raises
    ------
    ConfigError
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise ConfigError("--parquet: pyarrow is not installed; pip install 'bittrue[parquet]'") from error


def _rows(source: Source) -> list[dict[str, Any]]:
    return sorted([*source.rows, *source.failed], key=lambda row: row["row"])


def _kind(values: list[Any]) -> Any:
    """The column's type; text where there is no value, or values of several kinds."""
    import pyarrow

    def all_are(*kinds: type) -> bool:
        return bool(values) and all(isinstance(value, kinds) for value in values)

    if all_are(bool):
        return pyarrow.bool_()
    if all_are(int):
        return pyarrow.int64()
    if all_are(int, float):
        return pyarrow.float64()
    if all_are(list):
        return pyarrow.list_(pyarrow.float64())
    return pyarrow.string()


def _cell(value: Any) -> Any:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list) else value


def _text(value: Any) -> str | None:
    """Of a column of mixed kinds, such as rooms that are "fit" or three sides."""
    return value if value is None or isinstance(value, str) else str(_cell(value))
