"""The table of a sweep for other programs: CSV, and Parquet where pyarrow is installed."""

import csv
import io
import json
from typing import Any

from firmware_model.report.plans import ASKING
from firmware_model.report.source import Source
from fixedpoint.errors import BittrueError, ConfigError

# Names of pyarrow's types, "" of a list of numbers.
_COLUMNS = {"row": "int64", "programme": "string", "repeat": "int64", "seed": "int64", "error": "string"}
_LIST = ""
_TYPES = {"float": "float64", "int": "int64", "bool": "bool_", "str": "string", "list": _LIST}


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
    known = _kinds(source)
    names = list(rows[0]) if rows else ["row"]
    kinds = {name: known.get(name, pyarrow.string()) for name in names}
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


def _kinds(source: Source) -> dict[str, Any]:
    """The type of each column, whatever it holds."""
    import pyarrow

    axes = {axis.name: axis.column.__name__ for axis in ASKING[source.meta["product"]]().axes}
    mixed = {name for name, kind in axes.items() if kind == "list"}  # rooms are "fit" or three sides
    kinds = {name: _TYPES[kind] for name, kind in (axes | source.meta["outcome"]).items()}
    kinds |= _COLUMNS | dict.fromkeys(mixed, "string")
    return {
        name: pyarrow.list_(pyarrow.float64()) if kind == _LIST else getattr(pyarrow, kind)()
        for name, kind in kinds.items()
    }


def _cell(value: Any) -> Any:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list) else value


def _text(value: Any) -> str | None:
    """Of a column of mixed kinds, such as rooms that are "fit" or three sides."""
    return value if value is None or isinstance(value, str) else str(_cell(value))
