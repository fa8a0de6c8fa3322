"""The README.md of an export: what a firmware engineer needs to put it into a project."""

from collections.abc import Sequence

from firmware_model.device.build import OPTIMISE, flags
from firmware_model.device.configured import MBDP, Configured
from firmware_model.device.product_header import prefix
from firmware_model.watermark.params import SCORE_FRAC_BITS

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
counts. `-fno-unroll-loops` besides makes the code about 40 % smaller; on a Cortex-M4 mbdp takes 3 % fewer
instructions with it, watermark 5 % more.

## Call order

1. Place an instance in static memory. It points into itself: do not copy or move it.
2. `..._init` once, and whenever the signal is to start anew: it sets all of the instance.
3. `..._process` for each frame, from one context at a time. Several instances do not disturb each other.
"""
_PARTS = {
    "mbdp": """
## bittrue_mbdp: @label@

    static bittrue_mbdp dynamics;
    bittrue_mbdp_init(&dynamics);
    bittrue_mbdp_process(&dynamics, x, n, y);

x and y hold n samples@channels@, Q1.15 (int16, full scale 32768). n is any
multiple of @block@ (`BITTRUE_MBDP_BLOCK`); y may be x. The output is @latency@ samples late
(`BITTRUE_MBDP_LATENCY`). How the signal is cut into frames changes nothing.
""",
    "watermark": """
## bittrue_watermark: @label@

    static bittrue_watermark detector;
    bittrue_watermark_init(&detector);
    bittrue_watermark_process(&detector, x);
    if (detector.output.report[BITTRUE_WATERMARK_REPORT_FOUND]) ...

x is one hop of @block@ samples (`BITTRUE_WATERMARK_BLOCK`), mono, Q1.15 (int16, full scale 32768). `report`
has a row of @columns@ for each key: whether a mark is reported at this hop, the hop of its best score counted
from 0, that score, and the number of consecutive marks it took. Scores have @bits@ fractional bits and are in
standard deviations of unmarked audio. A mark is reported @hold@ hops after its best score.

The source holds the signs made from the key. They are enough to find the mark and to forge it: keep the
source as secret as the key.
""",
}


def readme(setups: Sequence[Configured]) -> str:
    """Text of README.md."""
    if len(setups) > 1:
        usage = " or ".join(f"`build/main {setup.name} < in.raw`" for setup in setups)
    else:
        usage = "`build/main < in.raw`"
    sources = " and ".join(f"`{prefix(setup.name)}.h`, `.c`" for setup in setups)
    head = _HEAD.replace("@usage@", usage).replace("@sources@", sources)
    tail = _TAIL.replace("@flags@", flags(OPTIMISE[0]))
    return head + "".join(map(_row, setups)) + tail + "".join(map(_part, setups))


def _row(setup: Configured) -> str:
    call = f"multiples of {setup.block}" if setup.name == MBDP else str(setup.block)
    sizes = (f"{setup.state_bytes} bytes", f"{setup.table_bytes} bytes")
    return f"| {' | '.join((setup.name, f'{setup.fs_hz} Hz, {setup.channels} ch', call, *sizes))} |\n"


def _part(setup: Configured) -> str:
    values = {"label": setup.label, "block": setup.block, "latency": setup.latency_samples}
    if setup.name == MBDP:
        values["channels"] = "" if setup.channels == 1 else " of the first channel, then n of the second"
    else:
        values |= {
            "hold": setup.params.hold_hops,
            "columns": setup.output.report.shape[1],
            "bits": SCORE_FRAC_BITS,
        }
    text = _PARTS[setup.name]
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text
