"""The README.md of an export: what a firmware engineer needs to put it into a project."""

from collections.abc import Sequence

from firmware_model.device.configured import MBDP, Configured, arrays
from firmware_model.device.export import Product

_HEAD = """\
# Firmware exported by bittrue

C99 with `stdint.h` alone: no malloc, no float, no recursion, no global state that changes. Its bits are
those of the model, on every compiler.

    make test     # runs the vectors: output and memory, bit for bit
    make          # builds the example, build/main: @usage@

`make CC=... CFLAGS=...` tries another compiler. To a project go @sources@; the rest is its proof.

| product | sample rate | samples in a call | state in RAM | configuration in flash |
|---|---|---|---|---|
"""
_TAIL = """\

State: all arrays, `BITTRUE_..._STATE_BYTES`; `sizeof` of an instance adds the pointers to them.
Configuration: coefficients and tables, `static const`; code and the kernels' own tables come on top, as the
linker's map shows.

## Call order

1. Place an instance in static memory. It points into itself: do not copy or move it.
2. `..._init` once, and whenever the signal is to start anew: it sets all of the instance.
3. `..._process` for each frame, from one context at a time. Several instances do not disturb each other.
"""
_PARTS = {
    "mbdp": """
## bittrue_mbdp: @label@

`bittrue_mbdp_process(self, x, n, y)`: x and y hold n samples of the first channel, then n of the second,
Q1.15 (int16, full scale 32768). n is any multiple of @block@ (`BITTRUE_MBDP_BLOCK`); y may be x. The output
is @latency@ samples late (`BITTRUE_MBDP_LATENCY`). How the signal is cut into frames changes nothing.
""",
    "watermark": """
## bittrue_watermark: @label@

`bittrue_watermark_process(self, x)`: one hop of @block@ samples (`BITTRUE_WATERMARK_BLOCK`), mono, Q1.15
(int16, full scale 32768). Then `self->output.report[key * 4]` is 1 where a mark is reported; beside it are
the hop of its best score, counted from 0, the score and the number of consecutive marks. Scores have 9
fractional bits, in standard deviations of unmarked audio; a mark is reported @hold@ hops after its best
score. The source holds the signs made from the key, which are enough to find the mark and to forge it:
keep it as secret as the key.
""",
}


def readme(parts: Sequence[tuple[Configured, Product]]) -> str:
    """Text of README.md."""
    names = [product.name for _, product in parts]
    if len(names) > 1:
        usage = " or ".join(f"`build/main {name} < in.raw`" for name in names)
    else:
        usage = "`build/main < in.raw`"
    sources = ", ".join(f"`{product.prefix}.h` and `.c`" for _, product in parts)
    rows = "".join(_row(setup) for setup, _ in parts)
    text = _HEAD.replace("@usage@", usage).replace("@sources@", sources) + rows + _TAIL
    return text + "".join(_part(setup) for setup, _ in parts)


def _row(setup: Configured) -> str:
    state = sum(each.values.nbytes for each in setup.memory if each.path.startswith("state."))
    tables = sum(each.values.nbytes for each in arrays(setup.params, ""))
    call = f"multiples of {setup.block}" if setup.name == MBDP else f"{setup.block}"
    cells = (setup.name, f"{setup.fs_hz} Hz, {setup.channels} ch", call, f"{state} bytes", f"{tables} bytes")
    return f"| {' | '.join(cells)} |\n"


def _part(setup: Configured) -> str:
    text = _PARTS[setup.name].replace("@label@", setup.label).replace("@block@", str(setup.block))
    params = setup.params
    if setup.name == MBDP:
        blocks = params.band_limiter.blocks + params.limiter.blocks
        return text.replace("@latency@", str(blocks * setup.block))
    return text.replace("@hold@", str(params.hold_hops))
