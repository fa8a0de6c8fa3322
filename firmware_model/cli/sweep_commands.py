"""The commands about sweeps, part of the command line in `cli`.

Each command imports what it needs when it runs, as in `cli`.
"""

from typing import Annotated

import typer

from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.options import Json, refuse
from fixedpoint.errors import ConfigError

_EVERY_ROW_FAILED = 1
_TERMINATED = 143  # 128 + SIGTERM, as a shell reports it

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Run a plan of rooms, noises, codecs: what is found, row by row.")
def sweep(
    path: Annotated[str, typer.Argument(metavar="PLAN", help="The plan, a TOML file; - is standard input.")],
    out: Annotated[
        str | None, typer.Option("--out", metavar="DIR", help="Folder of the results; made if there is none.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", metavar="N", min=1, max=256, help="Processes.  [default: 1]")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster", metavar="ADDR", help="A Dask scheduler, tcp://HOST:PORT, in place of --jobs."
        ),
    ] = None,
    row: Annotated[
        int | None,
        typer.Option("--row", metavar="N", min=1, help="Compute one row alone, print it, keep nothing."),
    ] = None,
    wav: Annotated[
        str | None, typer.Option("--wav", metavar="FILE", help="With --row: what the microphone heard.")
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Compute rows again that ended in an error.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check, and print rows and levels; compute and write nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Run a plan; each row is kept in DIR/results.sqlite as it comes.

    The same command goes on where it was, after Ctrl-C or anything worse. A row that fails is kept with its
    error. Status 0: every row is there; 1: and each of them is an error; 2: the plan or DIR cannot be used,
    what DIR holds is as it was. Plans to begin with are in examples/.

    \b
    bittrue sweep examples/smoke.toml --out smoke --jobs 4
    bittrue report smoke
    """
    from acoustic_sim.border.interrupts import Terminated
    from firmware_model.cli import dry_run as sweep_dry_run
    from firmware_model.cli import sweep_progress, sweeping

    if row is not None:
        others = {"--out": out, "--jobs": jobs, "--cluster": cluster, "--retry": retry, "--dry-run": dry_run}
        refuse(others, "--row")
        if wav is not None:
            output.check_output(wav, [path], (".wav", ".flac"))
            output.check_streams(wav, json)
        found = sweeping.one_row(path, row, wav)
        if json:
            output.emit_json(found)
        elif wav == output.STDIO:
            output.note(sweeping.row_in_words(found))
        else:
            output.emit(sweeping.row_in_words(found))
        return
    refuse({"--wav": wav}, "a whole plan")
    if out is None and not dry_run:
        raise ConfigError("--out: missing; give a folder for the results, or --row N for one row")
    if jobs is not None and cluster is not None:
        raise ConfigError("--jobs: a cluster has its own; drop --jobs or --cluster")
    if dry_run or out is None:
        would = sweep_dry_run.dry_run(path, out)
        if json:
            output.emit_json(would)
        else:
            output.emit(sweep_dry_run.in_words(would))
        return
    try:
        with sweep_progress.showing("sweep") as tell:
            swept = sweeping.sweep(path, out, jobs or 1, cluster, retry, tell)
    except Terminated:
        raise typer.Exit(_TERMINATED) from None
    if json:
        output.emit_json(sweeping.facts(out, swept))
        if swept.all_failed:
            output.note(f"{out}: {sweeping.EVERY_ROW_FAILED}")
    else:
        output.emit(sweeping.in_words(out, swept))
    raise typer.Exit(_EVERY_ROW_FAILED if swept.all_failed else 0)


@app.command(short_help="What a sweep found, as one page for people, and as tables.")
def report(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Results of bittrue sweep, complete or not.")],
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FILE", help="The page, .html.  [default: DIR/report/report.html]"),
    ] = None,
    csv: Annotated[str | None, typer.Option("--csv", metavar="FILE", help="Write the rows as CSV.")] = None,
    parquet: Annotated[
        str | None, typer.Option("--parquet", metavar="FILE", help="Write the rows as Parquet.")
    ] = None,
    no_spectrograms: Annotated[
        bool, typer.Option("--no-spectrograms", help="Do not compute the worst rows again to show them.")
    ] = False,
    no_page: Annotated[
        bool, typer.Option("--no-page", help="Write the tables of --csv or --parquet alone.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what a sweep found: one self-contained page; its pictures are in DIR/report, or beside --out, too.

    Misses at a fixed false-alarm rate against distance and the other axes, DET curves, Q15 against float,
    latency, and the ten worst rows, each with the command that computes it again.
    """
    from firmware_model.report import sweep_report

    with output.progress("report", len(sweep_report.STAGES)) as step:
        facts = sweep_report.report(folder, out, csv, parquet, not no_spectrograms, step, not no_page)
    if json:
        output.emit_json(facts)
    else:
        output.emit(sweep_report.in_words(facts))
