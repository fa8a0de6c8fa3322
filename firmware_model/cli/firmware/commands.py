"""The commands about firmware, part of the command line in `cli`.

Each command imports what it needs when it runs, as in `cli`.
"""

from typing import Annotated

import typer

from firmware_model.cli.terminal.options import Json

app = typer.Typer(add_completion=False, rich_markup_mode=None)


EXPORT = "export"


@app.command(EXPORT, short_help="Products as C99 with coefficients, vectors and a test.")
def export() -> None:
    """Stands in the list of commands; `export_options` has the command itself, with all products' options."""


@app.command(short_help="A golden case on an emulated Cortex-M: its bits, instructions, flash, RAM, stack.")
def device(
    case: Annotated[
        str,
        typer.Argument(
            metavar="CASE",
            help="Golden case; watermark is watermark-detector, mbdp is mbdp-smart-speaker.",
        ),
    ],
    cpu: Annotated[
        str | None,
        typer.Option(
            "--cpu",
            metavar="NAME",
            help="cortex-m0plus, cortex-m3, cortex-m4, cortex-m7, cortex-m33, or all of them: all.  "
            "[default: cortex-m4]",
        ),
    ] = None,
    opt: Annotated[
        str | None,
        typer.Option(
            "--opt", metavar="LEVEL", help="What the compiler optimises: 3, 2 or s (size).  [default: 3]"
        ),
    ] = None,
    profile_functions: Annotated[
        bool,
        typer.Option(
            "--profile-functions", help="Show instructions by kernel; with --elf, by function of yours."
        ),
    ] = False,
    no_cause: Annotated[
        bool, typer.Option("--no-cause", help="Do not look for the likely cause of a difference.")
    ] = False,
    elf: Annotated[
        str | None,
        typer.Option("--elf", metavar="FILE", help="Your own firmware, linked for a Cortex-M, instead."),
    ] = None,
    host_lib: Annotated[
        str | None,
        typer.Option("--host-lib", metavar="FILE", help="Your own firmware as a shared object of this host."),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", metavar="NAME", help="Function of yours that is called.")
    ] = None,
    memory_map: Annotated[
        str | None,
        typer.Option("--map", metavar="FILE", help="TOML: your memory, call, buffers and nodes; see above."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="DIR", help="Keep your nodes there, a dump for bittrue compare."),
    ] = None,
    json: Json = False,
) -> None:
    """Build a golden case's product for a Cortex-M, run it on the emulated core and compare every bit.

    \b
    bittrue device watermark
    bittrue device mbdp --cpu all --opt s
    bittrue device mbdp --profile-functions
    bittrue device mbdp-headset --elf fw.elf --symbol my_process --map map.toml

    The C of `bittrue export` is compiled, runs on the case's stimulus, and every output value and the final
    state are held against the model. A difference is handed to the search of `bittrue compare`. The cost is
    in executed instructions; cycles are more, by what the core's memory and multiplier take.

    With --elf or --host-lib your own firmware runs: --symbol is called as --map says, block by block on the
    case's input, and what it puts out goes to `bittrue compare`. The map, with comments in
    examples/firmware_map.toml, has

    [memory] regions: NAME = {address, size, writable}; a host library needs none

    [call] samples; arguments: names of buffers, "samples", "init", "&symbol", integers; init; init_arguments;
    stack = {region, size}

    [buffers] input and output = {type, layout, fraction_bits, and symbol, address or region}; further ones
    are memory of a size

    [nodes.NAME] the same for internal nodes of the case: the more, the nearer the first wrong line

    Status 0: bit-exact; 1: not, or the product faults on the core, with the kind of fault, address, PC and
    function on standard error; 2: also a map that your firmware does not fit. Needs pip install
    'bittrue[device]', but for --host-lib.
    """
    from firmware_model.cli.firmware import device_runs, own_firmware
    from firmware_model.golden.cases import case_of

    own = own_firmware.from_options(elf, host_lib, symbol, memory_map, keep, cpu, opt, profile_functions)
    if own is not None:
        raise typer.Exit(own_firmware.run(case_of(case), own, not no_cause, json))
    options = device_runs.from_options(cpu, opt, profile_functions, not no_cause)
    raise typer.Exit(device_runs.run(case_of(case), options, json))
