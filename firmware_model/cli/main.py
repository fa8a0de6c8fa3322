"""The command line: the commands of `cli`, and the verbs that products bring.

Exit status: 0 done, detected, equal; 1 not detected, different; 2 misuse or unreadable input, with one line
on stderr. What takes long to import is imported by the command that needs it.
"""

import signal
import sys
import warnings
from functools import cache
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from firmware_model import product
from firmware_model.cli import sweep_commands as study
from firmware_model.cli.exactness import commands as exactness
from firmware_model.cli.firmware import commands as firmware
from firmware_model.cli.newcomer import commands as newcomer
from firmware_model.cli.sound import commands as sound
from firmware_model.cli.terminal import output, status
from fixedpoint.errors import ConfigError


class _Commands(TyperGroup):
    """Our own commands, behind them the verbs of installed products.

    Their names and short helps are all that help needs: the options of one are made when it is called.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {
            name: TyperCommand(name, short_help=info.short_help, hidden=info.hidden)
            for name, info in _ours().items()
        }

    def list_commands(self, ctx: Any) -> list[str]:
        return [*self.commands, *(name for name in _plugin_verbs() if name not in self.commands)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return self.commands.get(cmd_name) or _plugin_verbs().get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """What runs, with its options."""
        from firmware_model.cli.terminal.plain_help import plain

        name, command, rest = super().resolve_command(ctx, args)
        return name, plain(whole(name) if name and name in self.commands else command), rest


def whole(name: str) -> Any:
    """One of our own commands with all its options; those of `export` are all products'."""
    if name == firmware.EXPORT:
        from firmware_model.cli.firmware.export_options import export_command

        return export_command()
    return typer.main.get_command_from_info(
        _ours()[name], pretty_exceptions_short=True, rich_markup_mode=None
    )


@cache
def _ours() -> dict[str, Any]:
    """What typer knows of each of our own commands, by name, as they are listed."""
    apps = [product.part("commands").app for product in product.BUILT_IN if product.has("commands")]
    apps += [sound.app]  # room, synthesise, stream
    apps += [study.app]  # sweep, report
    apps += [exactness.app]  # check, ranges, vectors, compare, freeze
    apps += [firmware.app, newcomer.app]  # export, device; new, examples
    infos = [info for app in apps for info in app.registered_commands]
    return {info.name or typer.main.get_command_name(info.callback.__name__): info for info in infos}


@cache
def _plugin_verbs() -> dict[str, Any]:
    """Verb -> command of installed products; none of them takes the place of another."""
    verbs: dict[str, Any] = {}
    for _, commands in product.working_plugins("commands", lambda _, module: _verbs_of(module.app)):
        for name, command in commands.items():
            verbs.setdefault(name, command)
    return verbs


def _verbs_of(app: Any) -> dict[str, Any]:
    if not isinstance(app, typer.Typer):
        raise ConfigError(f"app: {type(app).__name__} found, a typer.Typer needed")
    return dict(typer.main.get_group(app).commands)


app = typer.Typer(
    cls=_Commands,
    help="Bit-true simulator of low-power audio DSP firmware: a watermark, found across a room in Q15, "
    "a multiband dynamics processor ahead of a loudspeaker, and products of your own.",
    epilog="Exit status: 0 done, detected, equal; 1 not detected, different; 2 misuse or unreadable input; "
    "70 a fault of bittrue (BITTRUE_DEBUG=1 shows where); 130 Ctrl-C, 141 closed pipe, 143 SIGTERM. "
    "bittrue COMMAND --help says more.",
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        output.emit(f"bittrue {version('bittrue')}")
        raise typer.Exit(status.DETECTED)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        output.emit(context.get_help())


def run(arguments: list[str]) -> int:
    """Run the command line, given without the program's name; returns the exit status."""
    if sys.stdout is None:
        output.note("standard output: is closed; open it, or send it to /dev/null")
        return status.MISUSE
    return status.run(app, arguments, product.noticed)


def main() -> None:
    """Entry point of `bittrue`."""
    # While modules load, Ctrl-C ends the process: a KeyboardInterrupt that falls into an import's clean-up is
    # lost. `progress` puts Python's handler back, which unwinds and so removes half-written files.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries; the user's own are raised as errors
    output.open_streams()
    sys.exit(run(sys.argv[1:]))
