"""Arguments of the kernel."""

import numpy as np

from meter.cases import BLOCK, CHANNELS, Params, State, init_output, quantise


def _frames(rng) -> list[tuple]:
    made = []
    for fall in (0.0, 0.5, 1 - 2**-31):
        params: Params = quantise(fall)
        state = State(rng.integers(0, 1 << 15, CHANNELS).astype(np.int32))
        for size in (1, 1000, 1 << 15):
            x = rng.integers(-size, size, (CHANNELS, BLOCK)).astype(np.int16)
            made.append((params, state, x, init_output(params), None))
    return made


CASES = {"meter.cases.process_frame": _frames}
