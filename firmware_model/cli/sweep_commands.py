"""The commands about sweeps, part of the command line in `cli`.

Each command imports what it needs when it runs, as in `cli`.
"""

from typing import Annotated

import typer

from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.options import Json, refuse
from fixedpoint.errors import ConfigError

_EVERY_ROW_FAILED = 1
_VIOLATED = 1
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


@app.command(short_help="What a sweep found, as one page; limits for CI; two sweeps compared.")
def report(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Results of bittrue sweep, complete or not.")],
    second: Annotated[
        str | None,
        typer.Argument(metavar="DIR2", help="Later results: what became better and worse, row by row."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The page, .html; of two sweeps there is none without.  [default: DIR/report/report.html]",
        ),
    ] = None,
    csv: Annotated[str | None, typer.Option("--csv", metavar="FILE", help="Write the rows as CSV.")] = None,
    parquet: Annotated[
        str | None, typer.Option("--parquet", metavar="FILE", help="Write the rows as Parquet.")
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option("--limits", metavar="FILE", help="Hold the rows against limits, a TOML file: status 1."),
    ] = None,
    junit: Annotated[
        str | None,
        typer.Option("--junit", metavar="FILE", help="With --limits: write JUnit XML to FILE.xml."),
    ] = None,
    github: Annotated[
        bool,
        typer.Option("--github", help="With --limits: annotate violations for GitHub, on standard error."),
    ] = False,
    no_spectrograms: Annotated[
        bool, typer.Option("--no-spectrograms", help="Do not compute the worst rows again to show them.")
    ] = False,
    no_page: Annotated[
        bool, typer.Option("--no-page", help="Only the tables of --csv or --parquet, or --limits.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what a sweep found: one self-contained page; its pictures are in DIR/report, or beside --out, too.

    Misses at a fixed false-alarm rate against distance and the other axes, DET curves, Q15 against float,
    latency, and the ten worst rows, each with the command that computes it again.

    With DIR2, two sweeps are compared by paired tests, on the rows that both have. With --limits, status 1
    says that a limit is violated: by the end of the 95 % interval, not by the value alone.

    \b
    bittrue report smoke --limits examples/limits.toml --junit limits.xml
    bittrue report before after
    """
    from firmware_model.report import sweep_report

    if limits is None:
        refuse({"--junit": junit, "--github": github}, "no limits")
    if second is not None:
        alone = {"--csv": csv, "--parquet": parquet, "--limits": limits}
        refuse(alone | {"--no-spectrograms": no_spectrograms, "--no-page": no_page}, "two sweeps")
        from firmware_model.report.verdict import comparing

        with output.progress("report", len(comparing.STAGES)) as step:
            found = comparing.compare((folder, second), out, step)
        if json:
            output.emit_json(found)
        else:
            output.emit(comparing.in_words(found))
        return
    from firmware_model.cli import limit_output

    if junit is not None:
        output.check_output(junit, [limits], (".xml",))
    with output.progress("report", len(sweep_report.STAGES)) as step:
        facts = sweep_report.report(folder, out, csv, parquet, not no_spectrograms, step, not no_page, limits)
    verdicts = facts.get("limits", [])
    if junit is not None:
        output.replace_file(junit, limit_output.junit(verdicts))
    if github and limits is not None:
        for line in limit_output.annotations(limits, verdicts):
            output.note(line)
    if json:
        output.emit_json(facts)
    else:
        output.emit(sweep_report.in_words(facts))
    raise typer.Exit(0 if all(verdict["ok"] for verdict in verdicts) else _VIOLATED)
