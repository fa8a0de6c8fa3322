"""The commands about bit-exactness, part of the command line in `cli`.

Each command imports what it needs when it runs, as in `cli`.
"""

from typing import Annotated

import typer

from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.options import Gain, Json

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
    product: Annotated[
        str | None,
        typer.Option("--product", metavar="NAME", help="Only the kernels and cases of this product."),
    ] = None,
    json: Json = False,
) -> None:
    """Hold every kernel and every product against their goldens and references.

    Items are kernel:NAME (bits of the golden), case:NAME (golden output, every node, probes on and off),
    reference:NAME (error of every node against the float64 reference) and conformance:NAME (bits of
    CMSIS-DSP, where that is installed). Status 1: a difference; status 2: a golden's file is not as it was
    written.
    """
    import time

    if junit is not None:
        output.check_output(junit, [], (".xml",))
    from firmware_model.cli.exactness import checking
    from firmware_model.golden.conformance import check as golden_check
    from firmware_model.product import find_product, noticed

    golden_check.require_sound_store()
    items = golden_check.items(text, None if product is None else find_product(product))
    tally, begun = checking.Tally(items), time.perf_counter()
    with checking.live_table(tally) as add:
        for item in items:
            add(golden_check.run(item))
    seconds = time.perf_counter() - begun
    if junit is not None:
        output.replace_file(junit, checking.junit(tally))
    if github:
        for line in checking.annotations(tally):
            output.note(line)
    if json:
        output.emit_json(checking.facts(tally, seconds))
    else:
        output.emit(checking.report(tally, seconds))
    failed = tally.count(golden_check.FAILED) or (product is None and not text and noticed())
    raise typer.Exit(DIFFERENT if failed else EQUAL)


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
    gain: Gain = 0.0,
    json: Json = False,
) -> None:
    """Range, headroom, noise and a format proposal for every named node of golden cases.

    SQNR: energy of the float reference's node to that of the difference from the integer one.
    """
    from firmware_model.cli.exactness import range_tables
    from firmware_model.golden.cases import find_case

    cases, audio = range_tables.sort_arguments(cases, audio or [])
    if html is not None:
        output.check_output(html, list(audio), (".html", ".htm"))
    chosen = [find_case(name) for name in cases]
    wanted = range_tables.Wanted(sqnr, margin, seconds)
    with output.progress("ranges", len(chosen) * (max(1, len(audio)) + 1)) as step:
        reports = [range_tables.analyse(case, audio, wanted, resample, step) for case in chosen]
    if html is not None:
        from firmware_model.cli.exactness import range_page

        output.replace_file(html, range_page.page(reports).encode())
    if json:
        output.emit_json({"cases": [range_tables.facts(report) for report in reports]})
    else:
        output.emit(range_tables.tables(reports))
    range_tables.note_clipping(reports)


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
    from firmware_model.cli.exactness import vector_files

    vector_files.check_folder(folder)
    from firmware_model.golden.cases import CASES, find_case
    from firmware_model.golden.vectors.export import export

    chosen = [find_case(name) for name in dict.fromkeys(cases or CASES)]
    with output.progress("vectors", 2) as step:
        step("convert")
        contents = export(chosen)
        step("write")
        files = vector_files.write(folder, contents, force)
    if json:
        output.emit_json({"files": files})
    else:
        output.emit(vector_files.report(folder, [case.name for case in chosen], files))


@app.command(short_help="First diverging node of a device's dump, and the likely cause.")
def compare(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Golden case, such as mbdp-smart-speaker.")],
    dump: Annotated[
        str,
        typer.Argument(
            metavar="DUMP",
            help=".bin .raw .s8 .s16 .s24 .s32 (little-endian), .hex (Intel), .npz, .npy, .wav, .flac, .csv "
            ".txt .tsv .log (tables, a debugger's text), or a folder with a file for each node, named after "
            "it.",
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
            "--dtype",
            metavar="TYPE",
            help="Of raw files: int16, int32, int16-be, int24 ...  [default: the node's]",
        ),
    ] = None,
    fraction_bits: Annotated[
        int | None,
        typer.Option(
            "--fraction-bits",
            metavar="BITS",
            help="Of the dump's integers, such as 31 for 16-bit samples in the upper half of 32-bit words.  "
            "[default: the node's]",
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            "--layout",
            metavar="LAYOUT",
            help="Of several rows: interleaved or planar.  [default: interleaved]",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            metavar="COLUMNS",
            help="Of a table: numbers or headings of the node's rows, such as 2,3; NODE=4-9 for another "
            "node, VALUE@CHANNEL for lines of one channel; may be repeated.",
        ),
    ] = None,
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
    from firmware_model.cli.exactness import comparison
    from firmware_model.golden.dumps.dump import Form

    with output.progress("compare", 2) as step:
        form = Form(dtype, layout, node, tuple(columns or ()), fraction_bits)
        report = comparison.compare_dump(case, dump, given, form, not no_cause, step)
    if json:
        output.emit_json(comparison.facts(report))
    else:
        output.emit(comparison.in_words(report))
    raise typer.Exit(report.status)


@app.command(short_help="Freeze the bits of products as they are now.")
def freeze(
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why the goldens change; kept with those that do.")
    ] = "",
    product: Annotated[
        list[str] | None,
        typer.Option(
            "--product",
            metavar="NAME",
            help="Whose goldens; may be repeated.  [default: all products of installed packages]",
        ),
    ] = None,
    remake_stimuli: Annotated[
        bool, typer.Option("--remake-stimuli", help="Make the stimuli by their formulas as well.")
    ] = False,
    json: Json = False,
) -> None:
    """Compute every golden of a product afresh and write those that changed, into the product's own package.

    A golden is what `bittrue check` holds a kernel, an output and every node against. What did not change
    keeps its reason and its bytes. --product fixedpoint freezes the kernels that products share.
    """
    from firmware_model.cli.exactness import freezing

    found = freezing.freeze(product or [], reason, remake_stimuli)
    if json:
        output.emit_json({"products": [each.facts for each in found]})
    else:
        output.emit("\n".join(each.in_words for each in found))
    for each in found:
        if each.installed:
            output.note(
                f"{each.folder}: is in the installed package; copy it to its sources, or pip install -e"
            )
