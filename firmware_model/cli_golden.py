"""The commands about bit-exactness, part of the command line in `cli`.

Each command imports what it needs when it runs, as in `cli`.
"""

from typing import Annotated

import typer

from firmware_model import cli_output as output
from firmware_model.cli_options import Json

EQUAL, DIFFERENT = 0, 1

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Bit-exactness and reference regressions, all of them.")
def check(
    text: Annotated[
        str, typer.Option("--filter", metavar="TEXT", help="Only items whose name holds this text.")
    ] = "",
    junit: Annotated[
        str | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML to FILE.xml.")
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Annotate failures for GitHub, on standard error.")
    ] = False,
    json: Json = False,
) -> None:
    """Hold every kernel and both products against their goldens and references.

    Items are kernel:NAME (bits of the golden), case:NAME (golden output, every node, probes on and off),
    reference:NAME (error of every node against the float64 reference) and conformance:NAME (bits of
    CMSIS-DSP, where that is installed). Status 1: a difference; status 2: a golden's file is not as it was
    written.
    """
    import time

    if junit is not None:
        output.check_output(junit, [], (".xml",))
    from firmware_model import cli_check
    from firmware_model.golden import check as golden_check

    golden_check.require_sound_store()
    items = golden_check.items(text)
    tally, begun = cli_check.Tally(items), time.perf_counter()
    with cli_check.live_table(tally) as add:
        for item in items:
            add(golden_check.run(item))
    seconds = time.perf_counter() - begun
    if junit is not None:
        output.replace_file(junit, cli_check.junit(tally))
    if github:
        for line in cli_check.annotations(tally):
            output.note(line)
    if json:
        output.emit_json(cli_check.facts(tally, seconds))
    else:
        output.emit(cli_check.report(tally, seconds))
    raise typer.Exit(DIFFERENT if tally.count(golden_check.FAILED) else EQUAL)


@app.command(short_help="Per node: range, headroom, noise, histogram, and a format proposal.")
def ranges(
    cases: Annotated[list[str], typer.Argument(metavar="CASE...", help="Golden cases.")],
    audio: Annotated[
        list[str] | None,
        typer.Option(
            "--audio",
            metavar="FILE...",
            help="WAV or FLAC to run instead of the frozen stimulus; further arguments that end in .wav or "
            ".flac are audio too.",
        ),
    ] = None,
    sqnr: Annotated[
        float, typer.Option("--sqnr", metavar="DB", min=0, max=200, help="What a proposal keeps.")
    ] = 90.0,
    margin: Annotated[
        int,
        typer.Option("--margin", metavar="BITS", min=0, max=16, help="Headroom over what was observed."),
    ] = 1,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", metavar="S", min=0.1, max=60, help="Of each input, from its start, for the SQNR."
        ),
    ] = 5.0,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write a page with the histograms.")
    ] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="Convert audio of another rate to that of the case.")
    ] = False,
    json: Json = False,
) -> None:
    """Range, headroom, noise and a format proposal for every named node of golden cases.

    SQNR: energy of the float reference's node to that of the difference from the integer one.
    """
    from firmware_model import cli_ranges
    from firmware_model.golden.cases import find_case

    cases, audio = cli_ranges.sort_arguments(cases, audio or [])
    if html is not None:
        output.check_output(html, list(audio), (".html", ".htm"))
    chosen = [find_case(name) for name in cases]
    wanted = cli_ranges.Wanted(sqnr, margin, seconds)
    with output.progress("ranges", len(chosen) * (max(1, len(audio)) + 1)) as step:
        reports = [cli_ranges.analyse(case, audio, wanted, resample, step) for case in chosen]
    if html is not None:
        from firmware_model import cli_ranges_html

        output.replace_file(html, cli_ranges_html.page(reports).encode())
    if json:
        output.emit_json({"cases": [cli_ranges.facts(report) for report in reports]})
    else:
        output.emit(cli_ranges.tables(reports))
    cli_ranges.note_clipping(reports)


@app.command(short_help="Golden vectors as C headers, .bin, .wav, .npz, with a test in C.")
def vectors(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder to write to; made if there is none.")],
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="CASE...", help="Golden cases; all if none is named.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: Json = False,
) -> None:
    """Write golden inputs, parameters and outputs for firmware that is tested without Python.

    DIR gets a folder for each case (vectors.h, params.h, device.h, input and output as .bin, .wav and .npz),
    a manifest with the SHA-256 of every file, and a Makefile with a C99 program that feeds the input to your
    function and reports the first value that differs.

    A DIR that holds other cases is refused, with --force too: Makefile and manifest are of the cases named.
    """
    from firmware_model import cli_vectors

    cli_vectors.check_folder(folder)
    from firmware_model.golden.cases import CASES, find_case
    from firmware_model.golden.export_vectors import export

    chosen = [find_case(name) for name in dict.fromkeys(cases or CASES)]
    with output.progress("vectors", 2) as step:
        step("convert")
        contents = export(chosen)
        step("write")
        files = cli_vectors.write(folder, contents, force)
    if json:
        output.emit_json({"files": files})
    else:
        output.emit(cli_vectors.report(folder, [case.name for case in chosen], files))


@app.command(short_help="First diverging node of a device's dump, and the likely cause.")
def compare(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Golden case, such as mbdp-smart-speaker.")],
    dump: Annotated[
        str,
        typer.Argument(
            metavar="DUMP",
            help=".bin .raw .s8 .s16 .s32 (little-endian), .hex (Intel), .npz, .npy, .wav, .flac, .csv, or a "
            "folder with a file for each node, named after it.",
        ),
    ],
    given: Annotated[
        str | None,
        typer.Option("--input", metavar="FILE", help="What the device was given; else the case's stimulus."),
    ] = None,
    node: Annotated[
        str | None,
        typer.Option("--node", metavar="NAME", help="Node that a single file holds.  [default: output]"),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            "--dtype", metavar="TYPE", help="Of raw files: int16, int32, int16-be ...  [default: the node's]"
        ),
    ] = None,
    layout: Annotated[
        str,
        typer.Option(
            "--layout", metavar="LAYOUT", help="Of raw files of several rows: interleaved or planar."
        ),
    ] = "interleaved",
    no_cause: Annotated[bool, typer.Option("--no-cause", help="Do not look for the likely cause.")] = False,
    json: Json = False,
) -> None:
    """Find the first node, in signal-flow order, at which a device's dump leaves the model, and why.

    The usual suspects are re-run (truncation, wrap, narrow accumulators, each everywhere and in each place;
    coefficient order, uncleared state, delays, holes, polarity, byte order, Q format, channels), and named if
    they give the dump bit for bit. The first search compiles altered kernels, which takes half a minute.

    Status 0: equal; 1: bits differ; 2: the dump cannot be taken as it is: it has another length, layout, type
    or byte order, whether or not bits differ besides, or cannot be read. Without the search (--no-cause) a
    dump of the right length in another byte order or layout is one whose bits differ.
    """
    from firmware_model import cli_compare
    from firmware_model.golden.dump import Form

    with output.progress("compare", 2) as step:
        report = cli_compare.compare_dump(case, dump, given, Form(dtype, layout, node), not no_cause, step)
    if json:
        output.emit_json(cli_compare.facts(report))
    else:
        output.emit(cli_compare.in_words(report))
    raise typer.Exit(report.status)
