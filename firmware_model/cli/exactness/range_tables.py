"""What `ranges` measures, and how it says it: facts for machines, a table for people."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case
from firmware_model.cli.terminal import audio as sound
from firmware_model.cli.terminal.output import Step, counted, number, table
from firmware_model.golden import stimuli
from firmware_model.golden.ranges.measured import NodeRange, measure, worst_row
from firmware_model.golden.ranges.proposals import LOSS_DB, Proposal, propose
from firmware_model.golden.ranges.worst_case import peak_gains
from firmware_model.pcm_stream import AudioStream
from fixedpoint.errors import ConfigError

AUDIO_SUFFIXES = (".wav", ".flac")
RANGE_COLUMNS = ["node", "format", "min", "max", "largest in", "bits used", "headroom, dB", "at the rails"]
NOISE_COLUMNS = ["node", "SQNR, dB", "least in", "derived worst case", "proposal", "word", "its SQNR, dB"]


class Wanted(NamedTuple):
    """What a proposal must keep.

    sqnr_db : in every row
    margin_bits : of headroom over what was observed
    seconds : from the beginning of each input, over which the SQNR is measured
    """

    sqnr_db: float
    margin_bits: int
    seconds: float


class NodeReport(NamedTuple):
    """One node: what was observed, derived and proposed.

    found : observed
    peak_gain : (rows,) float64, derived largest |value| of a linear node; else None
    proposal : None where the float64 node is silent
    """

    found: NodeRange
    peak_gain: np.ndarray | None
    proposal: Proposal | None

    @property
    def kept(self) -> bool:
        """Whether no format smaller than the present one is proposed."""
        return self.proposal is not None and self.proposal.bits == self.found.node.fmt.bits


class CaseReport(NamedTuple):
    """One case.

    inputs : (name, samples, samples clipped by the resampler) of each
    nodes : in signal-flow order
    """

    case: Case
    inputs: list[tuple[str, int, int]]
    nodes: list[NodeReport]
    wanted: Wanted

    @property
    def excerpt_s(self) -> float:
        """Seconds over which the SQNR was measured, of all inputs together."""
        limit = round(self.wanted.seconds * self.case.fs_hz) // self.case.block * self.case.block
        return sum(min(samples, limit) for _, samples, _ in self.inputs) / self.case.fs_hz


def sort_arguments(names: list[str], audio: list[str]) -> tuple[list[str], list[str]]:
    """Case names and audio files: with --audio, further arguments that end in .wav or .flac are audio too.

    So a shell's `--audio *.wav` does what it looks like.
    """
    if not audio:
        return names, audio
    files = [name for name in names if name.lower().endswith(AUDIO_SUFFIXES)]
    cases = [name for name in names if name not in files]
    if not cases:
        raise ConfigError("CASE: none found beside the audio; at least one is needed")
    return cases, [*audio, *files]


def analyse(case: Case, audio: list[str], wanted: Wanted, resample: bool, step: Step) -> CaseReport:
    """Measure a case over its frozen stimulus, or over audio files.

    Raises
    ------
    AudioError, ConfigError, GoldenError
    """
    inputs: list[tuple[str, int, int]] = []

    def recordings() -> Iterator[Iterator[np.ndarray]]:
        if not audio:
            step(f"{case.name}: {case.stimulus}")
            x_q15 = case.whole_blocks(stimuli.load(case))
            inputs.append((case.stimulus, x_q15.shape[1], 0))
            yield iter([x_q15])
        for path in audio:
            step(f"{case.name}: {path}")
            stream = AudioStream(path, case.fs_hz, case.channels, case.block, resample)
            yield iter(stream)
            inputs.append((path, stream.samples, stream.clipped))

    ranges = measure(case, recordings(), wanted.seconds)
    step(f"{case.name}: worst case")
    gains = peak_gains(case)
    nodes = []
    for found in ranges.values():
        gain = gains.get(found.node.name)
        gain = gain if gain is not None and np.isfinite(gain).all() else None
        nodes.append(NodeReport(found, gain, propose(found, wanted.sqnr_db, wanted.margin_bits, gain)))
    return CaseReport(case, inputs, nodes, wanted)


# --- JSON ------------------------------------------------------------------------------------


def facts(report: CaseReport) -> dict[str, Any]:
    """What --json prints of a case."""
    case = report.case
    return {
        "case": case.name,
        "fs_hz": case.fs_hz,
        "channels": case.channels,
        "inputs": [{"name": name, "seconds": samples / case.fs_hz} for name, samples, _ in report.inputs],
        "sqnr_seconds": report.excerpt_s,
        "wanted_sqnr_db": report.wanted.sqnr_db,
        "margin_bits": report.wanted.margin_bits,
        "nodes": [_node_facts(node) for node in report.nodes],
    }


def _node_facts(report: NodeReport) -> dict[str, Any]:
    found, proposal = report.found, report.proposal
    node = found.node
    sqnr = found.sqnr_db()
    peak_row, sqnr_row = int(np.argmax(found.peak)), worst_row(sqnr, least=True)
    derived = report.peak_gain
    return {
        "node": node.name,
        "format": str(node.fmt),
        "values": found.count,
        "min": float(node.fmt.to_float(found.low.min())),
        "max": float(node.fmt.to_float(found.high.max())),
        "peak_row": node.rows[peak_row],
        "bits_used": int(found.bits_used.max()),
        "headroom_bits": node.fmt.bits - int(found.bits_used.max()),
        "headroom_db": found.headroom_db,
        "at_rails": int(found.rails.sum()),
        "sqnr_db": None if sqnr_row is None else float(sqnr[sqnr_row]),
        "sqnr_row": None if sqnr_row is None else node.rows[sqnr_row],
        "exact": bool(np.isinf(sqnr).any() and not np.isfinite(sqnr).any()),
        "max_error_lsb": float(found.max_error.max()),
        "derived_max": None if derived is None else float(derived.max()),
        "derived_row": None if derived is None else node.rows[int(np.argmax(derived))],
        "proposal": None if proposal is None else _proposal_facts(report, proposal),
        "histogram": found.histogram.sum(axis=0).tolist(),
        "rows": [
            {
                "row": label,
                "min": int(found.low[row]),
                "max": int(found.high[row]),
                "bits_used": int(found.bits_used[row]),
                "at_rails": int(found.rails[row]),
                "sqnr_db": float(sqnr[row]),
                "derived_max": None if derived is None else float(derived[row]),
            }
            for row, label in enumerate(node.rows)
        ],
    }


def _proposal_facts(report: NodeReport, proposal: Proposal) -> dict[str, Any]:
    return {
        "format": str(proposal),
        "keep": report.kept,
        "bits": proposal.bits,
        "word": proposal.word,
        "range": "derived" if proposal.derived else "observed",
        "sqnr_db": proposal.sqnr_db,
        "sqnr_row": report.found.node.rows[proposal.row],
        "reached": proposal.reached,
    }


# --- tables -----------------------------------------------------------------------------------


def in_words(report: CaseReport) -> str:
    """One line: the case, what it was run on."""
    case = report.case
    names = [name for name, _, _ in report.inputs]
    seconds = sum(samples for _, samples, _ in report.inputs) / case.fs_hz
    what = names[0] if len(names) == 1 else counted(len(names), "file")
    excerpt = report.excerpt_s
    first = f"the first {report.wanted.seconds:g} s of each input"
    over = "all of it" if excerpt == seconds else f"{excerpt:.2f} s, {first}"
    return f"{case.name}: {what}, {seconds:.2f} s at {case.fs_hz} Hz; SQNR over {over}"


def range_cells(report: NodeReport) -> list[str]:
    """The node's line of the table of ranges."""
    found, fmt = report.found, report.found.node.fmt
    return [
        found.node.name,
        str(fmt),
        f"{float(fmt.to_float(found.low.min())):.4g}",
        f"{float(fmt.to_float(found.high.max())):.4g}",
        found.node.rows[int(np.argmax(found.peak))],
        f"{found.bits_used.max()} of {fmt.bits}",
        "unused" if found.headroom_db == np.inf else number(found.headroom_db),
        str(found.rails.sum()),
    ]


def noise_cells(report: NodeReport, wanted: Wanted) -> list[str]:
    """The node's line of the table of noise and proposals."""
    found, proposal = report.found, report.proposal
    sqnr = found.sqnr_db()
    row = worst_row(sqnr, least=True)
    proposed = ["none", "", ""]
    if proposal is not None:
        its = decibels(proposal.sqnr_db)
        its = its if proposal.reached else f"{its} < {wanted.sqnr_db:g}*"
        proposed = ["keep" if report.kept else str(proposal), f"{proposal.word} bits", its]
    return [
        found.node.name,
        "silent" if row is None else decibels(sqnr[row]),
        "" if row is None else found.node.rows[row],
        "" if report.peak_gain is None else f"{report.peak_gain.max():.4g}",
        *proposed,
    ]


def decibels(value: float) -> str:
    """One decimal; "exact" where there is no error."""
    return "exact" if value == np.inf else number(float(value))


def legend(wanted: Wanted) -> str:
    """What the proposals are."""
    asked, margin = f"{wanted.sqnr_db:g} dB", counted(wanted.margin_bits, "bit")
    return (
        f"proposal: the smallest format with an SQNR of {asked} in every row; keep: the present one\n"
        f"its range: the derived worst case, or what was seen and {margin} more; never beyond the present\n"
        "derived worst case: the largest |value| any input can cause; empty where the node is not linear\n"
        f"*: {asked} is not reached, since the node in its present format has less; the proposal loses at "
        f"most {LOSS_DB:g} dB of that"
    )


def tables(reports: list[CaseReport]) -> str:
    """All cases for people."""
    parts = []
    for report in reports:
        parts += [
            in_words(report),
            table(RANGE_COLUMNS, [range_cells(node) for node in report.nodes], left=2),
            table(NOISE_COLUMNS, [noise_cells(node, report.wanted) for node in report.nodes]),
        ]
    return "\n\n".join([*parts, legend(reports[0].wanted)])


def note_clipping(reports: list[CaseReport]) -> None:
    """Say on stderr where the resampler pushed samples past full scale."""
    for report in reports:
        for name, _, clipped in report.inputs:
            sound.note_clipping(name, clipped, name, 0)
