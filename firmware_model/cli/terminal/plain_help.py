"""Help that names arguments as the pages do: IN..., [DIR2]; typer has {IN...}... <list[str]>, [[DIR2]]."""

from functools import partial
from typing import Any


def plain(command: Any) -> Any:
    """The command, its arguments shown by their names alone; of anything that is no command, itself."""
    for argument in getattr(command, "params", ()):
        if argument.param_type_name == "argument" and not hasattr(argument, "shown_plainly"):
            name = (argument.metavar or argument.name.upper()).strip("[]").removesuffix("...")
            name += "..." if argument.nargs != 1 else ""
            pieces = [name if argument.required else f"[{name}]"]
            argument.shown_plainly = True
            argument.get_usage_pieces = partial(_usage_pieces, pieces)
            argument.get_help_record = partial(_help_record, name, argument.get_help_record)
    return command


def _usage_pieces(pieces: list[str], ctx: Any) -> list[str]:
    return list(pieces)


def _help_record(name: str, record: Any, ctx: Any) -> tuple[str, str] | None:
    found = record(ctx)
    return None if found is None else (name, found[1])
