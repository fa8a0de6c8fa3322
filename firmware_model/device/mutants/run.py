"""Which mistakes in a golden case's exported C its output shows: constants, sums and products of kernels."""

import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Form
from firmware_model.device.export import build, configured
from firmware_model.device.export.product import CProduct, product_of
from firmware_model.device.mutants import worker
from firmware_model.device.mutants.sites import CONSTANT, PRODUCT, SUM, Planted, with_switches
from firmware_model.device.mutants.worker import SAME, STATE, Change, Job
from firmware_model.golden import stimuli
from fixedpoint.c99.host import compiler
from fixedpoint.errors import ConfigError

TABLE = "table"
FRAME_SAMPLES = 1024
_FLAGS = ("-std=c99", "-O1", "-fwrapv", "-fPIC", "-shared", "-Wl,-Bsymbolic", "-w")
_WIDTHS = {SUM: (32, 40), PRODUCT: (32,)}


class Place(NamedTuple):
    """Where a mistake can be made; a sum has one for each width.

    kind : "constant", "table", "sum" or "product"
    where : kernel, define, table, or "configuration"
    text : the line of C, or the element's index;  number : which of the places there
    bits : of a sum or product that is held in so few, else 0
    """

    kind: str
    where: str
    text: str
    number: int
    bits: int

    def __str__(self) -> str:
        width = f", {self.bits} bits" if self.bits else ""
        return f"{self.where} {self.number}: {self.text}{width}"


class Mistake(NamedTuple):
    """One mistake. said : what becomes of it: "27 -> 28", "middle bit", "32 bits" """

    place: Place
    said: str
    change: Change


class Exported(NamedTuple):
    """A case's product as C with switches, compiled for this host."""

    case: Case
    setup: configured.Configured
    product: CProduct
    planted: Planted
    values: dict[str, np.ndarray]
    library: Path


def export(case: Case, folder: Path) -> Exported:
    """Compile a case's product with a switch at every place.

    Raises
    ------
    ConfigError
        No compiler for this host.
    """
    setup = configured.of_case(case)
    product = product_of(setup)
    planted = with_switches(product.source)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{product.prefix}.h").write_text(product.header, "utf-8")
    (folder / f"{product.prefix}.c").write_text(planted.source, "utf-8")
    (folder / "device.c").write_text(build.device_source(product), "utf-8")
    library = folder / "lib.so"
    command = [
        compiler(),
        *_FLAGS,
        "-o",
        str(library),
        str(folder / f"{product.prefix}.c"),
        str(folder / "device.c"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(f"{command[0]}: {done.stderr.strip().splitlines()[0]}")
    return Exported(case, setup, product, planted, _tables(product.source, planted), library)


def _tables(source: str, planted: Planted) -> dict[str, np.ndarray]:
    found = {}
    for table in planted.tables:
        text = re.search(rf"\b{table.name}\[[^\]]*\] = \{{(.*?)\}};", source, re.S)
        assert text is not None
        numbers = re.findall(r"-?\d+", re.sub(r"INT64_C|/\*.*?\*/", "", text[1]))
        found[table.name] = np.array(numbers, f"int{table.bits}")
    return found


def mistakes(made: Exported) -> list[Mistake]:
    """Every mistake at every place, in the order of the C."""
    found = []
    for at, site in enumerate(made.planted.sites):
        if site.kind == CONSTANT:
            place = Place(CONSTANT, site.where, site.text, site.number, 0)
            for value in _wrong_constants(site.value):
                found.append(Mistake(place, f"{site.value} -> {value}", Change(at, value)))
        for bits in _WIDTHS.get(site.kind, ()):
            place = Place(site.kind, site.where, site.text, site.number, bits)
            found.append(Mistake(place, f"{bits} bits", Change(at, 0, bits)))
    for name, values in made.values.items():
        for element in range(len(values)):
            place = Place(TABLE, name, f"[{element}]", element, 0)
            for said, value in _wrong_elements(values, element):
                found.append(Mistake(place, said, Change(-1, value, 0, name, element)))
    return found


def shown(
    cases: Iterable[Case], chosen: Callable[[Mistake], bool] = lambda mistake: True, processes: int = 2
) -> dict[tuple[Place, str], str]:
    """What shows each mistake in the cases of one product, which are run in turn until an output does.

    cases : the first decides which mistakes there are;  chosen : which of them are made

    Returns
    -------
    (place, what becomes of it) -> `OUTPUT`, `STATE`, `FAULT`, or "" where no case shows it
    """
    found: dict[tuple[Place, str], str] = {}
    with tempfile.TemporaryDirectory(prefix="bittrue-") as folder:
        for case in cases:
            made = export(case, Path(folder) / case.name)
            every = {(each.place, each.said): each for each in mistakes(made) if chosen(each)}
            left = [key for key in (found or every) if found.get(key, SAME) in (SAME, STATE) and key in every]
            for key, says in zip(left, verdicts(made, [every[key] for key in left], processes), strict=True):
                found[key] = says or found.get(key, SAME)
    return found


def _wrong_constants(value: int) -> list[int]:
    """Its neighbour; of those that are not small also the negative, and one with a middle bit changed."""
    wrong = [value + 1 if value < 62 else value - 1]  # shifts beyond 63 are undefined in C
    if abs(value) >= 256:
        wrong += [value ^ (1 << abs(value).bit_length() // 2), -value]
    return wrong


def _wrong_elements(values: np.ndarray, element: int) -> Iterator[tuple[str, int]]:
    value, limits = int(values[element]), np.iinfo(values.dtype)
    middle = max(int(abs(int(v))).bit_length() for v in (values.min(), values.max())) // 2
    wrong = {"lowest bit": value ^ 1, "middle bit": value ^ (1 << middle), "sign": -value}
    if element + 1 < len(values):
        wrong["neighbour"] = int(values[element + 1])
    for said, other in wrong.items():
        if other != value and limits.min <= other <= limits.max:
            yield said, other


def verdicts(made: Exported, chosen: Sequence[Mistake], processes: int = 2) -> list[str]:
    """What shows each mistake: the output, the final state, a fault, or "" where nothing does.

    Raises
    ------
    RuntimeError
        A worker failed.
    """
    parts = [chosen[i::processes] for i in range(processes)]
    workers = [_start(made, [each.change for each in part]) for part in parts]
    found: list[str] = [""] * len(chosen)
    for i, process in enumerate(workers):
        out, err = process.communicate()
        if process.returncode:
            raise RuntimeError(f"mutants: the worker ended with status {process.returncode}: {err.decode()}")
        found[i::processes] = json.loads(out)
    return found


def _start(made: Exported, changes: Sequence[Change]) -> "subprocess.Popen[bytes]":
    block = made.setup.block
    samples = made.setup.form == Form.SAMPLES
    job = Job(
        library=str(made.library),
        instance=build.INSTANCE,
        init=made.product.init,
        process=made.product.process,
        memory=build.MEMORY,
        memory_dtype=made.product.memory_dtype,
        tables={name: values.dtype.name for name, values in made.values.items()},
        x_q15=made.case.whole_blocks(stimuli.load(made.case)),
        frame=-(-FRAME_SAMPLES // block) * block if samples else block,
        samples=samples,
        changes=tuple(changes),
    )
    command = [sys.executable, "-P", "-m", worker.__name__]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ
    )
    assert process.stdin is not None
    pickle.dump(job, process.stdin)
    process.stdin.flush()
    process.stdin.close()
    process.stdin = None
    return process
