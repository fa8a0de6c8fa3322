"""The commands about firmware, part of the command line in `cli`.

Each command imports what it needs when it runs, as in `cli`.
"""

from enum import StrEnum
from typing import Annotated

import typer

from firmware_model import cli_output as output
from firmware_model.cli_options import KEY_HELP, Json

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ProductName(StrEnum):
    """What to export."""

    watermark = "watermark"
    mbdp = "mbdp"
    both = "both"


@app.command(short_help="Both products as C99 with coefficients, vectors and a test.")
def export(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder to write to; made if there is none.")],
    product: Annotated[
        ProductName, typer.Option("--product", help="The watermark detector, the dynamics processor or both.")
    ] = ProductName.both,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME|FILE",
            help="Of the dynamics processor: conventional, smart-speaker, headset, transparent, or a file "
            "that ends in .toml.  [default: smart-speaker]",
        ),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(
            "--rate",
            metavar="HZ",
            help="Of the dynamics processor: 16000, 44100, 48000 or 96000.  [default: 48000]",
        ),
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option("--channels", metavar="N", help="Of the dynamics processor: 1 or 2.  [default: 1]"),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="HEX",
            help=f"Of the watermark detector. {KEY_HELP} Repeat it to look for several keys at once.  "
            "[default: that of the golden case, which everybody knows]",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: Json = False,
) -> None:
    """Write firmware in C99: bittrue_mbdp.h and .c, bittrue_watermark.h and .c, and what proves them.

    The C is that of the model's kernels, with the coefficients of this configuration, without malloc, float
    or global state. DIR also gets vectors computed by the model for this configuration (input, output, final
    state), a test that compares bit for bit (make test), an example, a Makefile, a README.md and a manifest
    with the SHA-256 of every file. The detector runs at 16000 Hz.

    \b
    bittrue export out && make -C out test
    bittrue export out --product mbdp --profile headset --rate 16000 --channels 2
    """
    from firmware_model import cli_export, cli_vectors

    cli_vectors.check_folder(folder)
    chosen = cli_export.Options(product.value, profile, rate, channels, tuple(key or ()))
    setups = cli_export.configure(chosen)
    with output.progress("export", len(setups) + 1) as step:
        files = cli_export.write(folder, setups, force, step)
    if json:
        output.emit_json(cli_export.facts(setups, files))
    else:
        output.emit(cli_export.report(folder, chosen, setups, files))


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
    from firmware_model import cli_device, cli_foreign

    own = cli_foreign.from_options(elf, host_lib, symbol, memory_map, keep, cpu, opt, profile_functions)
    if own is not None:
        raise typer.Exit(cli_foreign.run(cli_device.case_of(case), own, not no_cause, json))
    options = cli_device.from_options(cpu, opt, profile_functions, not no_cause)
    raise typer.Exit(cli_device.run(cli_device.case_of(case), options, json))
