"""The watermark detector's C: the options of `bittrue export`, and what its files say of it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from firmware_model.device.export.configured import Configured, of_run
from firmware_model.device.export.facts import Facts, Option
from firmware_model.device.export.stimuli import squares
from firmware_model.golden.frozen_random import FrozenRandom
from firmware_model.product import find_product
from firmware_model.watermark.cases.configurations import watermark_case
from firmware_model.watermark.cases.stimuli import MARKED_KEY
from firmware_model.watermark.commands.options import KEY_HELP
from firmware_model.watermark.embedding.embedder import embed
from firmware_model.watermark.key import Key
from firmware_model.watermark.params import SCORE_FRAC_BITS, WatermarkConfig
from fixedpoint.arith import INT16_MAX, INT16_MIN
from fixedpoint.errors import ConfigError

MAX_KEYS = 1024  # as `detector.Detector`
_MARK_LEVEL = 0.05  # rms of the noise that is marked: -26 dBFS
_MORE_HOPS = 4  # of each of the detector's extremes

OPTIONS = (
    Option(
        "--key",
        list[str],
        "HEX",
        f"Of the watermark detector. {KEY_HELP} Repeat it to look for several keys at once.  "
        "[default: that of the golden case, which everybody knows]",
        secret=True,
    ),
)


def configure(values: Mapping[str, Any]) -> Configured:
    """The detector as the options have it.

    Raises
    ------
    ConfigError
        A bad key.
    """
    keys = values["key"] or ()
    for key in keys:
        Key.from_hex(key)
    return of_watermark(WatermarkConfig(), keys or (MARKED_KEY,))


def of_watermark(config: WatermarkConfig, keys: Sequence[str]) -> Configured:
    """The detector in a configuration.

    Parameters
    ----------
    config : WatermarkConfig
    keys : 1 to 1024, hexadecimal, see `Key.from_hex`

    Raises
    ------
    ConfigError
    """
    if not 1 <= len(keys) <= MAX_KEYS:
        raise ConfigError(f"keys: {len(keys)} found, 1 to {MAX_KEYS} are accepted")
    label = f"watermark detector, {len(keys)} key{'s' if len(keys) > 1 else ''}, {config.fs_hz} Hz"
    case = watermark_case("export", label, "", config, tuple(keys))._replace(
        product=find_product("watermark")
    )
    return of_run(case, case.start(), label, partial(marked, config, Key.from_hex(keys[0])))


def notes(values: Mapping[str, Any]) -> list[str]:
    """Whose key is in the C."""
    return [] if values["key"] else [f"key: {MARKED_KEY}, which everybody knows; --key HEX takes yours"]


def marked(config: WatermarkConfig, key: Key) -> np.ndarray:
    """For the detector: noise with a mark, until it is reported; squares at full scale; silence; noise.

    Returns
    -------
    (1, n) int16, Q1.15, whole hops

    Notes
    -----
    Embedding is floating point: on another machine some samples may be 1 LSB off.
    """
    hops = config.mark_hops * 5 // 4 + config.hold_hops + _MORE_HOPS
    noise = _MARK_LEVEL * FrozenRandom("export-noise").normal(hops * config.hop)
    y = embed(noise, config.fs_hz, key, mode="live", config=config).y
    extremes = _MORE_HOPS * config.hop
    last = y[: -(-config.fft_size // config.hop) * config.hop]  # its spectrum stays in the work areas
    parts = [_rounded(y), squares(extremes), np.zeros(extremes), _rounded(last)]
    return np.clip(np.concatenate(parts), INT16_MIN, INT16_MAX).astype(np.int16)[np.newaxis]


def _rounded(x: np.ndarray) -> np.ndarray:
    return np.floor(x * (1 << 15) + 0.5)


def _macros(setup: Configured) -> dict[str, tuple[int, str]]:
    params = setup.params
    mark_hops = params.slots * params.slot_hops
    return {
        "KEYS": (len(setup.output.integrated_q9), ""),
        "MAX_MARKS": (params.max_marks, "patterns, and consecutive marks whose scores are added"),
        "MARK_HOPS": (mark_hops, "length of a mark"),
        "HOLD_HOPS": (params.hold_hops, "from the best score to its report"),
        "SCORE_FRAC_BITS": (SCORE_FRAC_BITS, "of scores, which are standard deviations of unmarked audio"),
        "THRESHOLD_Q9": (params.threshold_q9, "least score of a detection"),
        "REPORT_COLUMNS": (setup.output.report.shape[1], ""),
        "REPORT_FOUND": (0, "1 where a mark is reported at this hop"),
        "REPORT_HOP": (1, "of the best score, counted from 0"),
        "REPORT_SCORE_Q9": (2, ""),
        "REPORT_MARKS": (3, "consecutive ones that it took to reach the threshold"),
    }


_PROCESS = """\
/* One hop: @M@_BLOCK samples, x in Q1.15. What was found is in self->output:
 *
 * score_q9      : KEYS x MAX_MARKS, score of the mark that would end here, by pattern
 * integrated_q9 : KEYS, the best over patterns and consecutive marks; compare with THRESHOLD_Q9
 * report        : KEYS x REPORT_COLUMNS; column REPORT_FOUND is 1 at the hop at which a mark is reported,
 *                 the columns beside it are its hop, score and number of consecutive marks */
void @p@_process(@p@ *self, const int16_t *x);
"""
_EXAMPLE = """\
/* A line of text to standard output for each mark; samples short of a hop are dropped. */
static int run_@n@(void)
{
    static @p@ self; /* static: no room for it on a small stack */
    static int16_t x[@M@_BLOCK];

    @p@_init(&self);
    while (fread(x, sizeof x[0], @M@_BLOCK, stdin) == @M@_BLOCK) {
        @p@_process(&self, x);
        for (int key = 0; key < @M@_KEYS; key++) {
            const int32_t *report = &self.output.report[key * @M@_REPORT_COLUMNS];
            if (report[@M@_REPORT_FOUND] == 0) continue;
            const double hops = report[@M@_REPORT_HOP] + 1.0;
            const double score = report[@M@_REPORT_SCORE_Q9];
            printf("key %d: mark ends %.3f s into the input, score %.2f\\n", key,
                   hops * @M@_BLOCK / @M@_SAMPLE_RATE_HZ,
                   score / (1 << @M@_SCORE_FRAC_BITS));
        }
    }
    return 0;
}
"""
_README = """
## @p@: @label@

    static @p@ @instance@;
    @p@_init(&@instance@);
    @p@_process(&@instance@, x);
    if (@instance@.output.report[@M@_REPORT_FOUND]) ...

x is one hop of @block@ samples (`@M@_BLOCK`), mono, Q1.15 (int16, full scale 32768). `report`
has a row of @columns@ for each key: whether a mark is reported at this hop, the hop of its best score counted
from 0, that score, and the number of consecutive marks it took. Scores have @bits@ fractional bits and are in
standard deviations of unmarked audio. A mark is reported @hold@ hops after its best score.

The source holds the signs made from the key. They are enough to find the mark and to forge it: keep the
source as secret as the key.
"""

FACTS = Facts(
    process=_PROCESS,
    readme=_README,
    example=_EXAMPLE,
    instance="detector",
    macros=_macros,
    readme_values=lambda setup: {
        "hold": setup.params.hold_hops,
        "columns": setup.output.report.shape[1],
        "bits": SCORE_FRAC_BITS,
    },
    unrolled="5 % more",
)
