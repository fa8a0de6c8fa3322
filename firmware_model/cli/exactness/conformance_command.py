"""Writes the conformance page: `make conformance`. A tool of the project's own, not of its users."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from firmware_model.cli.terminal import output, status

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def conformance(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The page.")] = Path("build/conformance.html"),
) -> None:
    """Measure every kernel and product, compare with CMSIS-DSP, and write one page about it."""
    from firmware_model.cli.exactness import conformance_page
    from firmware_model.golden.conformance.report import collect

    data = os.environ.get("BITTRUE_DATA")
    report = collect(Path(data) if data else None, progress=lambda what: output.note(f"measuring {what}"))
    out.parent.mkdir(parents=True, exist_ok=True)
    output.replace_file(str(out), conformance_page.page(report).encode())
    for line in report.failures:
        output.note(line)
    output.note(f"written: {out}")
    if report.failures:
        raise typer.Exit(1)


if __name__ == "__main__":
    sys.exit(status.run(app, sys.argv[1:]))
