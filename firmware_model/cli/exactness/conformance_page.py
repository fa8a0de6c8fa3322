"""The conformance page: one HTML file with nothing outside it."""

import math
from html import escape

from firmware_model.golden.conformance.accuracy import Error
from firmware_model.golden.conformance.operations import OPERATIONS, Match, Operation
from firmware_model.golden.conformance.report import (
    DIFFERS,
    EQUAL,
    Golden,
    KernelRow,
    NodeRow,
    Report,
    verdict,
)

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff; margin: 2rem auto;
  max-width: 78rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .3rem; }
p { margin: .3rem 0 .8rem; max-width: 60rem; } code { font-size: 12px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid #e2e2e2; }
th { border-bottom-color: #888; } td.n, th.n { text-align: right; white-space: nowrap; }
.good { color: #1a6b35; } .bad { color: #b3261e; font-weight: 600; } .off { color: #777; }
small { color: #666; display: block; }
"""
_FFT = """The FFT here has no twin: <code>arm_rfft_q15</code> halves its 16-bit words at every stage, so that
its spectrum is the DFT over <i>n</i> in Q1.15, whatever the level of the frame; <code>rfft_bfp</code> keeps
31-bit mantissas and one exponent for each frame. Their bits cannot be the same; the table holds both against
Arm's references, ours rounded to the same format."""
_PATH = """Bits are those of CMSIS-DSP's scalar C path, which is what the package computes; its code for the
DSP extension and for Helium may differ in the last bits, as that of its FFTs does."""


def page(report: Report) -> str:
    """The page of a report."""
    sections = (_summary, _products, _operations, _patterns, _kernels)
    body = "\n".join(section(report) for section in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>bittrue conformance</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def table(heads: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> str:
    """HTML of a table; cells are HTML already; columns in `numbers` are aligned right."""

    def line(cells: list[str], tag: str) -> str:
        marked = [
            f"<{tag}{' class=n' if i in numbers else ''}>{cell}</{tag}>" for i, cell in enumerate(cells)
        ]
        return f"<tr>{''.join(marked)}</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    head = line(heads, "th")
    return f'<div class="wide"><table>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def decibels(value: float | None) -> str:
    """An SNR: "exact" for no error at all, a dash where there is no signal."""
    if value is None:
        return "–"
    return "exact" if math.isinf(value) else f"{value:.1f}"


def lsb(value: float) -> str:
    """An error in LSB, three significant digits."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _coloured(text: str, kind: str) -> str:
    return f'<span class="{kind}">{escape(text)}</span>'


def _golden(golden: Golden) -> str:
    kind = {EQUAL: "good", DIFFERS: "bad"}.get(golden.status, "off")
    code = f'<code title="{golden.sha256}">{golden.sha256[:12]}</code> ' if golden.sha256 else ""
    return code + _coloured(golden.status, kind)


def _error(error: Error | None) -> list[str]:
    if error is None:
        return ["–", "–", '<span class="off">not measured alone</span>']
    return [lsb(error.largest_lsb), decibels(error.snr_db), escape(error.what)]


def _verdict(operation: Operation, match: Match | None) -> str:
    kind = "off" if match is None else "good" if match.holds else "bad"
    return _coloured(verdict(operation, match), kind)


# --- sections --------------------------------------------------------------------------------


def _summary(report: Report) -> str:
    tools = ", ".join(f"{name} {found}" for name, found in report.versions.items())
    goldens = [row.golden for row in report.nodes] + [row.golden for row in report.kernels]
    equal = sum(golden.status == EQUAL for golden in goldens)
    exact = [name for name, operation in OPERATIONS.items() if not operation.bound_lsb]
    same = [name for name in exact if (match := report.matches[name]) is not None and match.holds]
    lines = [f"{equal} of {len(goldens)} nodes and kernels equal their golden."]
    if any(match is not None for match in report.matches.values()):
        lines.append(f"{len(same)} of {len(exact)} operations that claim CMSIS-DSP's bits have them.")
    else:
        lines.append("cmsisdsp is not installed: nothing is compared with it.")
    failures = report.failures
    lines += [_coloured(line, "bad") for line in failures] or [_coloured("No failure.", "good")]
    return f"<h1>Conformance</h1>\n<p>{escape(tools)}</p>\n<p>{'<br>'.join(lines)}</p>"


def _products(report: Report) -> str:
    def row(found: NodeRow) -> list[str]:
        cells = [escape(found.case), escape(found.node), found.fmt, f"{found.values:,}"]
        return [*cells, *_error(found.error)[:2], _golden(found.golden)]

    heads = ["case", "node", "format", "values", "largest error, LSB", "SNR, dB", "golden"]
    about = """Every named node of both products on the frozen stimuli, against the float64 reference. A
level is a logarithm: near silence one LSB of the band is a large step of it."""
    return f"<h2>Products</h2>\n<p>{about}</p>\n{table(heads, [row(n) for n in report.nodes], (3, 4, 5))}"


def _operations(report: Report) -> str:
    def row(operation: Operation, match: Match | None) -> list[str]:
        counts = ["–"] * 3 if match is None else [f"{v:,}" for v in (match.compared, match.different)]
        largest = [] if match is None else [str(match.largest_lsb)]
        short = operation.kernel.removeprefix("fixedpoint.")
        return [
            f"<code>{operation.function}</code>",
            f"<code>{escape(short)}</code><small>{escape(operation.note)}</small>",
            *counts,
            *largest,
            _verdict(operation, match),
        ]

    heads = ["CMSIS-DSP", "kernel", "values", "different", "largest, LSB", "match"]
    rows = [row(operation, report.matches[name]) for name, operation in OPERATIONS.items()]
    about = "Every pair of extremes, random input, and all 65536 values of 16 bits where one argument is all."
    return f"<h2>CMSIS-DSP, bit for bit</h2>\n<p>{about} {_PATH}</p>\n{table(heads, rows, (2, 3, 4))}"


def _patterns(report: Report) -> str:
    title = "<h2>Arm's test patterns</h2>"
    if report.patterns is None:
        folder = escape(report.patterns_folder)
        return f"{title}\n<p>Not found: BITTRUE_DATA must name a folder with {folder}.</p>"
    rows = []
    for pattern, figures in report.patterns:
        theirs = ["–", "–", _coloured("cmsisdsp not installed", "off")]
        if figures.theirs_lsb is not None:
            word, kind = ("same", "good") if figures.equal else ("other", "bad" if pattern.exact else "off")
            theirs = [str(figures.theirs_lsb), decibels(figures.theirs_db), _coloured(word, kind)]
        accepted = f"{pattern.arm_lsb} LSB, {pattern.arm_snr_db:g} dB"
        cells = [escape(pattern.name), f"<code>{escape(pattern.kernel.removeprefix('fixedpoint.'))}</code>"]
        rows.append(
            [*cells, str(figures.values), str(figures.ours_lsb), decibels(figures.ours_db), *theirs, accepted]
        )
    heads = [
        "test",
        "kernel",
        "values",
        "ours, LSB",
        "ours, dB",
        "cmsisdsp, LSB",
        "cmsisdsp, dB",
        "bits",
        "Arm accepts",
    ]
    about = "Largest error and SNR against Arm's published references, which were computed in floating point."
    return f"{title}\n<p>{about} {_FFT}</p>\n{table(heads, rows, (2, 3, 4, 5, 6))}"


def _kernels(report: Report) -> str:
    def row(found: KernelRow) -> list[str]:
        matches = [(OPERATIONS[name], report.matches[name]) for name in found.operations]
        verdicts = [f"<code>{op.function}</code> {_verdict(op, match)}" for op, match in matches]
        name = f"<code>{escape(found.name)}</code><small>{escape(found.summary)}</small>"
        return [name, *_error(found.error), _golden(found.golden), "<br>".join(verdicts) or "–"]

    heads = ["kernel", "largest error, LSB", "SNR, dB", "against", "golden", "CMSIS-DSP"]
    about = """A kernel with a formula is held against exact fractions or float64 on its golden's arguments. A
part of a larger kernel or of a product has no reference of its own: its figure is that of the whole."""
    return f"<h2>Kernels</h2>\n<p>{about}</p>\n{table(heads, [row(k) for k in report.kernels], (1, 2))}"
