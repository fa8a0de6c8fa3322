"""What `report` does: a sweep's results as one page, with its pictures beside it."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from firmware_model.cli.terminal.output import Step, check_output, replace_file
from firmware_model.product import find_product
from firmware_model.report import measured
from firmware_model.report.page import Section, page
from firmware_model.report.plans import study_of
from firmware_model.report.sections import (
    Heard,
    all_failed_in_words,
    failed_rows,
    plan_text,
    rows_in_words,
    swept,
)
from firmware_model.report.source import Source, read
from firmware_model.report.verdict import deciding
from fixedpoint.errors import BittrueError, ConfigError

FOLDER, PAGE, PLAN = "report", "report.html", "plan.toml"
BESIDE = "_files"  # of a page's name, as browsers save one
STAGES = ("read", "analyse and draw", "write")


def report(
    folder: str,
    out: str | None,
    csv: str | None,
    parquet: str | None,
    spectrograms: bool,
    step: Step,
    drawn: bool = True,
    limits: str | None = None,
) -> dict[str, Any]:
    """Read results and write the page, its pictures as PNG, and tables for other programs.

    Parameters
    ----------
    folder : of the results
    out : of the page, with its pictures in a folder beside it that is named after it; None: FOLDER/report/
        has both
    csv, parquet : of the tables
    spectrograms : of the worst rows, which are computed again for it
    step : called as each of three stages begins
    drawn : False for the tables alone
    limits : file of limits that the rows are held against

    Returns
    -------
    what --json prints

    Raises
    ------
    ConfigError, BittrueError
        No results, none without error, limits that cannot be held against them, or a file that cannot be
        written.
    """
    from firmware_model.report import tables as export

    if not drawn and csv is None and parquet is None and limits is None:
        raise ConfigError("--no-page: nothing to write; --csv, --parquet or --limits FILE needed with it")
    if not drawn and out is not None:
        raise ConfigError(f"--no-page: the page {out} is asked for as well; one of the two needed")
    for path, suffixes in ((out, (".html", ".htm")), (csv, (".csv",)), (parquet, (".parquet",))):
        if path is not None:
            check_output(path, [], suffixes)
    if parquet is not None:
        export.require_parquet()
    step(STAGES[0])
    pictures = Path(folder) / FOLDER if out is None else Path(out).with_name(Path(out).stem + BESIDE)
    source = read(folder, str(pictures / PLAN))
    if not source.rows and not source.failed:
        raise ConfigError(f"{source.meta['path']}: no rows yet; bittrue sweep computes them")
    done = {"rows": len(source.rows) + len(source.failed), "of": source.meta["rows"]}
    done |= {"errors": len(source.failed), "product": source.meta["product"]}
    step(STAGES[1])
    found: dict[str, Any] = {"findings": [rows_in_words(source)]}
    decided = [] if limits is None else deciding.decide(limits, source)
    files = []
    if drawn:
        with _made(pictures):
            lead, sections, facts = _analysed(source, _hearing(source) if spectrograms else None)
            lead = [*found["findings"], *lead, *([source.plan.says] if source.plan.says else [])]
            if decided:
                lead.insert(1, deciding.lead(decided))
                sections.insert(0, deciding.section(decided))
            step(STAGES[2])
            files.append(str(pictures / PAGE) if out is None else out)
            _write(source, files[0], pictures, lead, sections)
        found = facts | {"findings": lead}
    if csv is not None:
        replace_file(csv, export.csv_bytes(source))
        files.append(csv)
    if parquet is not None:
        replace_file(parquet, export.parquet_bytes(source))
        files.append(parquet)
    if limits is not None:
        found["limits"] = [each.as_json() for each in decided]
        found["findings"] = [*found["findings"], *map(deciding.in_words, decided)]
    return done | found | {"files": files, "pictures": f"{pictures}{os.sep}" if drawn else None}


def in_words(facts: dict[str, Any]) -> str:
    """The findings and where the page is."""
    written = [*facts["files"], *([facts["pictures"]] if facts["pictures"] else [])]
    return "\n".join([*facts["findings"], *([f"written: {', '.join(written)}"] if written else [])])


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """A folder that can be written to, known before the work; gone again where that fails and it is new."""
    new = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, "made", error.strerror or str(error)) from error
    if not os.access(folder, os.W_OK):
        raise _unwritable(folder, "written to", os.strerror(errno.EACCES))
    try:
        yield
    except BaseException:
        if new:
            with suppress(OSError):  # it holds files by now
                folder.rmdir()
        raise


def _unwritable(folder: Path, what: str, why: str) -> BittrueError:
    return BittrueError(f"{folder}: cannot be {what}: {why}; --out FILE puts page and pictures elsewhere")


def _write(
    source: Source, page_path: str, pictures: Path, lead: Sequence[str], sections: Sequence[Section]
) -> None:
    """The page, its pictures, and the plan where its own file is gone."""
    for section in sections:
        for picture in section.pictures:
            if picture.png:
                replace_file(str(pictures / f"{picture.name}.png"), picture.png)
    if source.plan.kept is not None:
        replace_file(source.plan.path, source.plan.kept.encode())
    title = f"Sweep {Path(source.meta['path']).stem}"
    replace_file(page_path, page(title, lead, sections).encode())


def _hearing(source: Source) -> Heard | None:
    """Row -> what the microphone heard; None where its plan cannot be had any more, or nothing is heard."""
    plan = source.plan.plan
    if plan is None:
        return None
    heard = getattr(study_of(plan.product), "heard", None)
    return None if heard is None else lambda row: heard(plan.conditions()[row - 1])


def _analysed(source: Source, heard: Heard | None) -> tuple[list[str], list[Section], dict[str, Any]]:
    """The findings, all sections in order, and the product's facts."""
    failed = failed_rows(source)
    product = find_product(source.meta["product"])
    shows = product.part("report") if product.has("report") else None
    lead: list[str]
    own: list[Section]
    facts: dict[str, Any]
    if not source.rows:
        lead, own, facts = [all_failed_in_words(source)], [], {}
    elif shows is not None:
        lead, own, facts = shows.analyse(source, heard)
    else:
        measures = product.part("study").MEASURES
        lead, own, facts = measured.analyse(source, heard, measured.Told(measures))
    note = getattr(shows, "swept_in_words", lambda source: "")(source)
    rest = [section for section in (failed, plan_text(source)) if section is not None]
    return lead, [*own, swept(source, note), *rest], facts
