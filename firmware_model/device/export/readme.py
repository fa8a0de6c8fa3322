"""The README.md of an export: what a firmware engineer needs to put it into a project."""

from collections.abc import Sequence

from firmware_model.case import Form
from firmware_model.device.export.build import OPTIMISE, flags
from firmware_model.device.export.configured import Configured
from firmware_model.device.export.facts import facts_of, filled, prefix
from firmware_model.product import BUILT_IN

_HEAD = """\
# Firmware exported by bittrue

C99 with `stdint.h` alone: no malloc, no float, no recursion, no global state that changes, nothing that
depends on the compiler. Output and state have the bits of the model.

    make test    # runs the vectors: output and memory, bit for bit
    make         # builds the example

`make CC=... CFLAGS=...` tries another compiler. The example, `main.c`, takes 16-bit samples:
@usage@.
To your project go @sources@; the rest is their proof.

| product | sample rate | samples in a call | state in RAM | configuration in flash |
|---|---|---|---|---|
"""
_TAIL = """\

State: all arrays, `BITTRUE_..._STATE_BYTES`; `sizeof` of an instance adds the pointers to them.
Configuration: coefficients and tables, `static const`; code and the kernels' own tables come on top, as the
linker's map shows.

Compiled for a Cortex-M, `@flags@` gives the bits, and the instructions that `bittrue device`
counts. `-fno-unroll-loops` besides makes the code about 40 % smaller@unrolled@

## Call order

1. Place an instance in static memory. It points into itself: do not copy or move it.
2. `..._init` once, and whenever the signal is to start anew: it sets all of the instance.
3. `..._process` for each frame, from one context at a time. Several instances do not disturb each other.
"""


def readme(setups: Sequence[Configured]) -> str:
    """Text of README.md."""
    if len(setups) > 1:
        usage = " or ".join(f"`build/main {setup.name} < in.raw`" for setup in setups)
    else:
        usage = "`build/main < in.raw`"
    sources = " and ".join(f"`{prefix(setup.name)}.h`, `.c`" for setup in setups)
    head = _HEAD.replace("@usage@", usage).replace("@sources@", sources)
    tail = _TAIL.replace("@flags@", flags(OPTIMISE[0])).replace("@unrolled@", _unrolled(setups))
    return head + "".join(map(_row, setups)) + tail + "".join(map(_part, setups))


def _row(setup: Configured) -> str:
    call = f"multiples of {setup.block}" if setup.form == Form.SAMPLES else str(setup.block)
    sizes = (f"{setup.state_bytes} bytes", f"{setup.table_bytes} bytes")
    return f"| {' | '.join((setup.name, f'{setup.fs_hz} Hz, {setup.channels} ch', call, *sizes))} |\n"


def _unrolled(setups: Sequence[Configured]) -> str:
    """What was measured of the products that come with bittrue, where one of them is exported."""
    said: list[str] = []
    for product in sorted(BUILT_IN, key=lambda each: each.name):
        if product.has("firmware") and (change := product.part("firmware").FACTS.unrolled):
            said.append(
                f"{product.name} {change}" if said else f"{product.name} takes {change}\ninstructions with it"
            )
    if not said or not any(setup.product in BUILT_IN for setup in setups):
        return "."
    return f"; on a Cortex-M4 {', '.join(said)}."


def _part(setup: Configured) -> str:
    facts = facts_of(setup)
    rows = {1: "", 2: " of the first channel, then n of the second"}
    values = {
        "instance": facts.instance,
        "label": setup.label,
        "block": setup.block,
        "latency": setup.latency_samples,
        "channels": rows.get(setup.channels, " of each channel, one channel after the other"),
        **facts.readme_values(setup),
    }
    text = filled(facts.readme, setup.product)
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text
