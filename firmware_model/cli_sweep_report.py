"""What `report` does: a sweep's results as one page, with its pictures beside it."""

import os
from pathlib import Path
from typing import Any

from firmware_model import cli_sweep_report_dynamics as dynamics
from firmware_model import cli_sweep_report_findings as watermark
from firmware_model.cli_output import Step, check_output, replace_file
from firmware_model.cli_sweep import product_of
from firmware_model.cli_sweep_report_page import Section, page
from firmware_model.cli_sweep_report_sections import Heard, failed_rows, plan_text, rows_in_words, swept
from firmware_model.cli_sweep_report_source import Source, read
from firmware_model.cli_sweep_report_watermark import Findings
from fixedpoint.errors import BittrueError, ConfigError

FOLDER, PAGE, PLAN = "report", "report.html", "plan.toml"
STAGES = ("read", "analyse and draw", "write")


def report(
    folder: str,
    out: str | None,
    csv: str | None,
    parquet: str | None,
    spectrograms: bool,
    step: Step,
) -> dict[str, Any]:
    """Read results and write the page, its pictures as PNG, and tables for other programs.

    Parameters
    ----------
    folder : of the results
    out : of the page; None puts it beside the pictures, in FOLDER/report/
    spectrograms : of the worst rows, which are computed again for it
    step : called as each of three stages begins

    Returns
    -------
    what --json prints

    Raises
    ------
    ConfigError, BittrueError
        No results, none without error, or a file that cannot be written.
    """
    from firmware_model import cli_sweep_report_export as export

    for path, suffixes in ((out, (".html", ".htm")), (csv, (".csv",)), (parquet, (".parquet",))):
        if path is not None:
            check_output(path, [], suffixes)
    if parquet is not None:
        export.require_parquet()
    step(STAGES[0])
    pictures = Path(folder) / FOLDER
    source = read(folder, str(pictures / PLAN))
    step(STAGES[1])
    lead, sections, facts = _analysed(source, _hearing(source) if spectrograms else None)
    lead = [rows_in_words(source), *lead, *([source.plan.says] if source.plan.says else [])]
    step(STAGES[2])
    try:
        pictures.mkdir(exist_ok=True)
    except OSError as error:
        raise BittrueError(f"{pictures}: cannot be made: {error.strerror or error}") from error
    written = str(pictures / PAGE) if out is None else out
    for section in sections:
        for picture in section.pictures:
            if picture.png:
                replace_file(str(pictures / f"{picture.name}.png"), picture.png)
    if source.plan.kept is not None:
        replace_file(source.plan.path, source.plan.kept.encode())
    title = f"Sweep {Path(source.meta['path']).stem}"
    replace_file(written, page(title, lead, sections).encode())
    if csv is not None:
        replace_file(csv, export.csv_bytes(source))
    if parquet is not None:
        replace_file(parquet, export.parquet_bytes(source))
    files = [name for name in (written, csv, parquet) if name is not None]
    done = {"rows": len(source.rows) + len(source.failed), "of": source.meta["rows"]}
    return {**done, "errors": len(source.failed), "product": source.meta["product"], **facts} | {
        "findings": lead,
        "files": files,
        "pictures": f"{pictures}{os.sep}",
    }


def in_words(facts: dict[str, Any]) -> str:
    """The findings and where the page is."""
    return "\n".join([*facts["findings"], f"written: {', '.join(facts['files'])}, {facts['pictures']}"])


def _hearing(source: Source) -> Heard | None:
    """Row -> what the microphone heard; None where its plan cannot be had any more."""
    plan = source.plan.plan
    if plan is None:
        return None
    product = product_of(plan.product)
    return lambda row: product.heard(plan.conditions()[row - 1])


def _analysed(source: Source, heard: Heard | None) -> tuple[list[str], list[Section], dict[str, Any]]:
    """The findings, all sections in order, and the product's facts."""
    failed = failed_rows(source)
    if not source.rows:
        if failed is None:
            raise ConfigError(f"{source.meta['path']}: no rows yet; bittrue sweep computes them")
        lead, own, facts = ["Every row so far ended in an error."], [], {}
    elif source.meta["product"] == "watermark":
        found = Findings(source)
        if not len(found.trials.score):
            raise ConfigError(f"{source.meta['path']}: no row holds a mark; longer programmes are needed")
        lead, own, facts = watermark.lead(found), watermark.sections(found, heard), watermark.facts(found)
    else:
        lead, own, facts = dynamics.analyse(source, heard)
    rest = [section for section in (failed, plan_text(source)) if section is not None]
    return lead, [*own, swept(source), *rest], facts
