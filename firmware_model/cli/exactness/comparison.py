"""The command `compare`: a device's dump against a case's nodes, in words and as JSON."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from firmware_model.case import Case, Node
from firmware_model.cli.exactness import causes as shown
from firmware_model.cli.terminal import output
from firmware_model.cli.terminal.messages import shortened
from firmware_model.cli.terminal.status import DETECTED, MISUSE, NOT_DETECTED
from firmware_model.golden import stimuli
from firmware_model.golden.case_goldens import of_the_same_firmware
from firmware_model.golden.cases import find_case
from firmware_model.golden.causes import suspects
from firmware_model.golden.causes.ranking import Cause
from firmware_model.golden.causes.suspects import FORMS
from firmware_model.golden.dumps import evidence as stretch
from firmware_model.golden.dumps.divergence import Compared, Comparison, Difference, compare
from firmware_model.golden.dumps.dump import Dump, Form, read_dump, read_input
from firmware_model.golden.dumps.dump_values import Held, Values
from firmware_model.golden.dumps.evidence import Origin
from fixedpoint.errors import AudioError


class Report(NamedTuple):
    """What a comparison found.

    path : of the dump;  holds : its nodes and their form, in words
    guessed : by node, what was taken for granted to read it
    problems : the dump's length, in words;  causes : None where they were not looked for
    window : first and last input sample in which causes were tried
    """

    case: Case
    path: str
    holds: list[str]
    guessed: dict[str, str]
    ignored: tuple[str, ...]
    found: Comparison
    problems: list[str]
    causes: list[Cause] | None
    window: tuple[int, int]

    @property
    def status(self) -> int:
        """Exit status: 2 the dump is of another length or form; else 1 the bits differ; 0 equal."""
        misread = self.causes and self.causes[0].kind in FORMS and self.causes[0].complete
        if self.problems or misread:
            return MISUSE
        return NOT_DETECTED if self.found.first else DETECTED


def compare_dump(
    name: str, path: str, given: str | None, form: Form, look_for_causes: bool, step: output.Step
) -> Report:
    """Compare a dump with a case.

    Parameters
    ----------
    name : of the case;  path : of the dump;  given : path of the input, None for the case's own
    step : called as each of two steps begins

    Raises
    ------
    AudioError, ConfigError
    """
    case = find_case(name)
    with read_dump(path, case, form) as dump:
        x = _input(case, dump, given, form)
        step("nodes")
        found = compare(case, x, dump.nodes)
        problems = [
            problem for node in found.nodes for problem in _problems(node, dump.nodes[node.node.name])
        ]
        holds = [f"{name} ({values.how}, {values.steps} steps)" for name, values in dump.nodes.items()]
        guessed = {name: values.guess for name, values in dump.nodes.items() if values.guess}
        if x.guess:
            guessed["input"] = x.guess
        causes, window = None, (0, 0)
        if found.first is not None and look_for_causes:
            step("usual suspects")
            evidence = stretch.gather(case, x, dump.nodes, found)
            window = evidence.start, evidence.start + evidence.x.shape[1] - 1
            causes = suspects.find_causes(evidence, case, x, dump.nodes)
    return Report(case, path, holds, guessed, dump.ignored, found, problems, causes, window)


def _input(case: Case, dump: Dump, given: str | None, form: Form) -> Values:
    if given is not None:
        x = read_input(given, case, dump.files, form)
    else:
        x = dump.input or Held(stimuli.load(case))
    if x.steps < case.block:
        raise AudioError(
            f"{given or dump.path}: {x.steps} samples of input found; at least {case.block} needed"
        )
    return x


def _problems(compared: Compared, values: Values) -> list[str]:
    expected, got, name = compared.expected_steps, compared.got_steps, compared.node.name
    found = []
    if got < expected:
        found.append(f"{name}: truncated: {got} of {expected} steps found")
    if got > expected:
        found.append(f"{name}: {got - expected} extra steps: {got} found, {expected} needed")
    if values.remainder:
        found.append(f"{name}: {output.counted(values.remainder, 'byte')} after the last whole step")
    return found


def facts(report: Report) -> dict[str, Any]:
    """What --json prints."""
    first = report.found.first
    row: dict[str, Any] = dict.fromkeys(
        ("node", "row", "frame", "sample", "time_s", "expected", "got", "lsb")
    )
    if first is not None:
        row = {
            "node": first.node.name,
            "row": first.node.rows[first.row],
            "frame": first.sample // report.case.block,
            "sample": first.sample,
            "time_s": first.sample / report.case.fs_hz,
            "expected": first.expected,
            "got": first.got,
            "lsb": first.got - first.expected,
        }
    return {
        "case": report.case.name,
        "equal": report.status == DETECTED,
        **row,
        "same_firmware": of_the_same_firmware(report.case),
        "likely_cause": shown.likely(report.causes or ()),
        "causes": [shown.facts_of(cause) for cause in report.causes or ()],
        "read_as": report.guessed,
        "problems": report.problems,
        "nodes": [_node_facts(node) for node in report.found.nodes],
        "missing": _missing(report),
        "ignored": list(report.ignored),
    }


def _node_facts(compared: Compared) -> dict[str, Any]:
    return {
        "node": compared.node.name,
        "format": str(compared.node.fmt),
        "steps": compared.got_steps,
        "differing": compared.differing,
        "largest_lsb": compared.largest,
        "first_sample": compared.first.sample if compared.first else None,
        "growth": [part._asdict() for part in compared.growth],
    }


def _missing(report: Report) -> list[str]:
    held = {compared.node.name for compared in report.found.nodes}
    return [node.name for node in report.case.nodes if node.name not in held]


def in_words(report: Report) -> str:
    """What the command prints."""
    parts = [_heading(report)]
    parts += [f"{report.path}: {problem}" for problem in report.problems]
    first = report.found.first
    if first is None:
        parts.append("equal, bit for bit" if not report.problems else "what there is is equal, bit for bit")
        if others := of_the_same_firmware(report.case):
            names = ", ".join(others)
            parts.append(f"not all that this firmware computes is reached by one stimulus: try {names} too")
        return "\n".join(parts)
    parts += ["", _first(report, first)]
    if len(report.found.nodes) > 1:
        parts += ["", _node_table(report)]
    parts += ["", _growth_table(next(node for node in report.found.nodes if node.first is first))]
    if report.causes is not None:
        parts += ["", shown.in_words(report.causes, report.window, partial(_origin, report.case))]
    return "\n".join(parts)


def _heading(report: Report) -> str:
    lines = [f"{report.case.name}: {report.case.summary}", f"{report.path}: {', '.join(report.holds)}"]
    for guess in dict.fromkeys(report.guessed.values()):
        names = [name for name, said in report.guessed.items() if said == guess]
        of = f"{', '.join(names)} " if len(report.holds) > 1 or names == ["input"] else ""
        lines.append(f"{report.path}: {of}read as: {guess}")
    if len(report.holds) > 1 and _missing(report):
        lines.append(f"{report.path}: not in it: {', '.join(_missing(report))}")
    if report.ignored:
        lines.append(f"{report.path}: ignored: {', '.join(report.ignored)}")
    return "\n".join(map(shortened, lines))


def _first(report: Report, first: Difference) -> str:
    """The first difference in words: where, and the two values."""
    node = first.node
    lines = [f"first wrong node of the dump: {_place(report.case, node, first.row, first.step)}"]
    width = max(len(str(first.expected)), len(str(first.got)))
    for what, value in (("expected", first.expected), ("got", first.got)):
        lines.append(
            f"  {what:9} {value:{width}}  {_hex(value, node)}  {float(node.to_float(np.asarray(value))):.9g}"
        )
    lines.append(f"  {first.got - first.expected:+d} LSB of {node.fmt}")
    earliest = report.found.earliest
    if earliest is not None and (earliest.step + 1) * earliest.node.step < (first.step + 1) * node.step:
        place = _place(report.case, earliest.node, earliest.row, earliest.step)
        lines.append(f"  earlier in time, and so not by way of {node.name}: {place}")
    return "\n".join(lines)


def _place(case: Case, node: Node, row: int, step: int) -> str:
    sample = step * node.step
    seconds = f"{sample / case.fs_hz:.6f} s"
    return f"{node.name}, {node.rows[row]}, sample {sample} (block {sample // case.block}, {seconds})"


def _hex(value: int, node: Node) -> str:
    """Two's complement in the node's width, or in 64 bits where the value has more."""
    bits = node.fmt.bits if node.fmt.min_int <= value <= node.fmt.max_int else 64
    return f"0x{value & ((1 << bits) - 1):0{bits // 4}x}"


def _node_table(report: Report) -> str:
    rows = [
        [
            compared.node.name,
            str(compared.node.fmt),
            str(compared.differing),
            str(compared.largest),
            str(compared.first.sample) if compared.first else "none",
        ]
        for compared in report.found.nodes
    ]
    return output.table(
        ["node", "format", "values\nthat differ", "largest\nLSB", "first at\nsample"], rows, left=2
    )


def _growth_table(compared: Compared) -> str:
    rows = [
        [
            f"{part.start}-{part.stop - 1}" if part.stop - part.start > 1 else str(part.start),
            str(part.differing),
            f"{100 * part.differing / ((part.stop - part.start) * len(compared.node.rows)):.1f} %",
            str(part.largest),
        ]
        for part in compared.growth
    ]
    what = "samples" if compared.node.step == 1 else "steps"
    return output.table(
        [f"{compared.node.name},\n{what}", "values\nthat differ", "\nshare", "largest\nLSB"], rows
    )


def _origin(case: Case, origin: Origin) -> str:
    """Where a suspect's run leaves the model."""
    node = next(node for node in case.nodes if node.name == origin.node)
    place = _place(case, node, origin.row, origin.step)
    return f"first wrong node: {place}: expected {origin.expected}, got {origin.got}"
