"""The page of `ranges`: tables, and a histogram of log2 magnitude for each node, drawn within its word."""

from html import escape

import numpy as np

from firmware_model.cli.exactness import range_tables
from firmware_model.cli.exactness.range_tables import CaseReport, NodeReport
from firmware_model.cli.terminal.output import counted
from firmware_model.golden.ranges.proposals import Proposal

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff; margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .3rem; } p { margin: .3rem 0 .8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #e2e2e2; }
th { border-bottom-color: #888; } th:first-child, td:first-child { text-align: left; }
.nodes { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin-top: 1rem; }
figure { margin: 0; flex: 0 0 auto; } figcaption { font-size: 13px; } figcaption b { font-size: 14px; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; }
"""
_KEY = """<p>
<span class="key" style="background:#33517a;margin-left:0"></span>share of the values by magnitude
<span class="key" style="background:#cfe8d5"></span>bits of the proposed format
<span class="key" style="border:1px solid #888"></span>bits of the present format, the sign not counted
<span class="key" style="border-left:2px dashed #b3261e;width:0"></span>derived worst case</p>"""

# Picture: one column per bit, the LSB left; pixels.
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 520, 160, 58, 8, 32
_ZERO = -2.2  # column of the zeros, apart from the word
# Attributes, not a style sheet: a picture that is taken out of the page stays as it is.
_SEEN, _PROPOSED, _WORD = 'fill="#33517a"', 'fill="#cfe8d5"', 'fill="none" stroke="#888"'
_GRID, _DERIVED = 'stroke="#e6e6e6"', 'stroke="#b3261e" stroke-width="1.5" stroke-dasharray="4 2"'
_TEXT = 'font-size="10" font-family="sans-serif" fill="#555"'
_DECADES = 6  # of the share of values that are drawn; a bar that is rarer still is one pixel high
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def page(reports: list[CaseReport]) -> str:
    """One HTML page, nothing outside it: reports of one call."""
    wanted = reports[0].wanted
    legend = "<br>".join(escape(line) for line in range_tables.legend(wanted).splitlines())
    body = "\n".join(_section(report) for report in reports)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>bittrue ranges</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Ranges and formats</h1>\n<p>{legend}</p>\n{_KEY}\n{body}\n</body>\n</html>\n"
    )


def histogram(report: NodeReport) -> str:
    """The histogram of a node as SVG: one column per bit of its word, the LSB on the left.

    Notes
    -----
    The column of 2^k counts 2^k <= |value| < 2^(k+1); 0 (and -1 LSB) stands left of the word. Height is the
    logarithm of the share, six decades.
    """
    fmt, proposal = report.found.node.fmt, report.proposal
    counts = report.found.histogram.sum(axis=0)
    last = fmt.bits - 1 if proposal is None else max(fmt.bits - 1, fmt.n + proposal.m - 1)
    step = (_WIDTH - _LEFT - 10) / (last - _ZERO)
    floor = _HEIGHT - _BOTTOM

    def at(column: float) -> float:
        """Left edge of a column; the LSB's is 0."""
        return _LEFT + (column - _ZERO) * step

    parts = [
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(_in_words(report), quote=True)}">'
    ]
    if proposal is not None:
        first = fmt.n - proposal.n
        parts.append(_box(_PROPOSED, at(first), _TOP, (fmt.n + proposal.m - 1 - first) * step, floor - _TOP))
    for decade in range(0, _DECADES + 1, 2):
        y = _TOP + decade / _DECADES * (floor - _TOP)
        share = ("100 %", "1 %", "0.01 %", "10⁻⁴ %")[decade // 2]
        parts.append(f'<line {_GRID} x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text {_TEXT} x="{_LEFT - 4}" y="{y + 3:.1f}" text-anchor="end">{share}</text>')
    total = counts.sum()
    for bits in np.flatnonzero(counts).tolist():
        share = counts[bits] / total
        height = max(1.0, (1 + np.log10(share) / _DECADES) * (floor - _TOP))
        left = at(bits - 1 if bits else _ZERO)
        label = _interval(bits - 1 - fmt.n) if bits else "0"
        title = f"<title>{label}: {counted(int(counts[bits]), 'value')}, {100 * share:.3g} %</title>"
        parts.append(_box(_SEEN, left + 0.1 * step, floor - height, 0.8 * step, height, title))
    parts.append(_box(_WORD, at(0), _TOP, (fmt.bits - 1) * step, floor - _TOP))
    if report.peak_gain is not None:
        x = at(float(np.log2(report.peak_gain.max())) + fmt.n)
        parts.append(f'<line {_DERIVED} x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{floor}"/>')
    parts.append(f'<text {_TEXT} x="{at(_ZERO + 0.5):.1f}" y="{floor + 13}" text-anchor="middle">0</text>')
    for column in range(fmt.n % 4, last + 1, 4):
        label = _power(column - fmt.n)
        parts.append(
            f'<text {_TEXT} x="{at(column):.1f}" y="{floor + 13}" text-anchor="middle">{label}</text>'
        )
    middle = (_LEFT + _WIDTH) / 2
    parts.append(
        f'<text {_TEXT} x="{middle:.1f}" y="{_HEIGHT - 4}" text-anchor="middle">magnitude</text></svg>'
    )
    return "\n".join(parts)


def _section(report: CaseReport) -> str:
    name, rest = range_tables.in_words(report).split(": ", 1)
    nodes = "\n".join(
        f"<figure>\n<figcaption>{_caption(node)}</figcaption>\n{histogram(node)}\n</figure>"
        for node in report.nodes
    )
    ranges = _table(range_tables.RANGE_COLUMNS, [range_tables.range_cells(node) for node in report.nodes])
    noise = _table(
        range_tables.NOISE_COLUMNS, [range_tables.noise_cells(node, report.wanted) for node in report.nodes]
    )
    return (
        f"<section>\n<h2>{escape(name)}</h2>\n<p>{escape(report.case.summary)}. {escape(rest)}.</p>\n"
        f'<div class="wide">{ranges}</div>\n<div class="wide">{noise}</div>\n'
        f'<div class="nodes">\n{nodes}\n</div>\n</section>'
    )


def _table(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _caption(report: NodeReport) -> str:
    node = report.found.node
    proposed = ""
    if report.proposal is not None:
        proposed = f", proposed {_format(report.proposal)}" if not report.kept else ", to be kept"
    return f"<b>{escape(node.name)}</b> {escape(str(node.fmt))}, {counted(len(node.rows), 'row')}{proposed}"


def _in_words(report: NodeReport) -> str:
    found = report.found
    return f"{found.node.name}: up to {found.bits_used.max()} of {found.node.fmt.bits} bits used"


def _format(proposal: Proposal) -> str:
    return f"{proposal} ({proposal.bits} bits, SQNR {range_tables.decibels(proposal.sqnr_db)} dB)"


def _box(kind: str, x: float, y: float, width: float, height: float, inside: str = "") -> str:
    return f'<rect {kind} x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">{inside}</rect>'


def _interval(exponent: int) -> str:
    return f"{_power(exponent)} to {_power(exponent + 1)}"


def _power(exponent: int) -> str:
    return "2" + str(exponent).translate(_SUPERSCRIPT)
