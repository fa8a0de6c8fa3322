"""C99 for firmware that tests itself: headers with constant arrays, a test program and its Makefile."""

import json
from collections.abc import Iterable
from textwrap import wrap

import numpy as np

from firmware_model.case import Case
from firmware_model.golden.vectors.parameters import Parameter
from fixedpoint.qformat import Q15, QFormat

_WIDTH = 100


def identifier(case: Case) -> str:
    """The case's name as C takes it."""
    return case.name.replace("-", "_")


def vectors_header(case: Case, x_q15: np.ndarray, golden: np.ndarray) -> str:
    """Frozen input and golden output: (channels, n) int16 and (rows, steps) integers, written interleaved."""
    name, node = identifier(case), case.output
    names = ", ".join(json.dumps(row) for row in node.rows)  # escapes as C does
    parts = [
        comment([f"{case.name}: {case.summary}. {case.fs_hz} Hz.", "", *_layout(case)]),
        "#include <stdint.h>",
        f"enum {{ {name}_channels = {len(x_q15)}, {name}_block = {case.block},",
        f"       {name}_rows = {len(golden)}, {name}_steps = {case.block // node.step},",
        f"       {name}_fs_hz = {case.fs_hz} }};",
        f"static const char *const {name}_row_names[] = {{ {names} }};",
        f"typedef {c_type(golden.dtype)} {name}_output_t;",
        "",
        comment([f"Input: {in_words(Q15, 15)}."]),
        array(f"{name}_input", x_q15.T.ravel()),
        "",
        comment([f'Golden output, node "{node.name}": {in_words(node.fmt, node.fmt.n)}.']),
        array(f"{name}_output", golden.T.ravel()),
    ]
    return _guarded(f"{name}_vectors_h", parts)


def device_header(case: Case, dtype: np.dtype) -> str:
    """The prototypes of what the user's code defines."""
    parts = [
        comment(
            [
                f"What your code defines to be tested with {case.name}.",
                "",
                "device_reset: the state as after endless silence.",
                "device_process: one block, called once for each block of the input, in order.",
                *_layout(case),
            ]
        ),
        "#include <stdint.h>",
        "void device_reset(void);",
        f"void device_process(const int16_t *x, {c_type(dtype)} *y);",
    ]
    return _guarded(f"{identifier(case)}_device_h", parts)


def params_header(case: Case, parameters: list[Parameter]) -> str:
    """The quantised parameters, each with its format and formula."""
    name = identifier(case)
    parts = [
        comment([f"Parameters of {case.name}: {case.summary}; as the firmware holds them."]),
        "#include <stdint.h>",
    ]
    for each, own in zip(parameters, c_names(parameters), strict=True):
        says = [each.name] if "." in each.name else []
        says += [in_words(each.fmt, each.frac_bits)] if each.fmt else []
        says += each.about
        parts += ["", comment(says)] if says else [""]
        parts.append(array(f"{name}_{own}", each.values))
    return _guarded(f"{name}_params_h", parts)


def c_names(parameters: Iterable[Parameter]) -> list[str]:
    """Names that C takes: curve.knee_q24 is curve_knee_q24; a second of the same name gets a number."""
    names: list[str] = []
    for each in parameters:
        name = numbered = each.name.replace(".", "_")
        number = 1
        while numbered in names:
            number += 1
            numbered = f"{name}_{number}"
        names.append(numbered)
    return names


def array(name: str, values: np.ndarray) -> str:
    """A constant array, or for 0-d a constant; C has no empty array, so of one there is a remark."""
    kind = c_type(values.dtype)
    if values.ndim == 0:
        return f"static const {kind} {name} = {literal(int(values), kind)};"
    if values.size == 0:
        return f"/* {name}: empty */"
    shape = "".join(f"[{length}]" for length in values.shape)
    head = f"static const {kind} {name}{shape} = "
    return f"{head}{_braces(values, kind, '', len(head) + len('{  };'))};"


def literal(value: int, kind: str) -> str:
    """An integer constant of the type; the least of 32 and 64 bits cannot be written with a minus sign."""
    if kind in ("int32_t", "int64_t") and value == -(1 << (int(kind[3:5]) - 1)):
        return f"INT{kind[3:5]}_MIN"
    return f"INT64_C({value})" if kind == "int64_t" else str(value)


def c_type(dtype: np.dtype) -> str:
    """ "int16_t" of int16."""
    return f"{dtype.name}_t"


def in_words(fmt: QFormat | str, frac_bits: int) -> str:
    """The format and its formula."""
    return f"{fmt}, value = integer * 2^-{frac_bits}" if frac_bits else f"{fmt}, integers"


def comment(lines: list[str]) -> str:
    """A block comment; long lines are broken."""
    broken = [part for line in lines for part in (wrap(line, _WIDTH - 3) or [""])]
    return "/* " + "\n".join(f" * {line}".rstrip() for line in broken).removeprefix(" * ") + " */"


def _braces(values: np.ndarray, kind: str, indent: str, beside: int = 8) -> str:
    """An initialiser; beside : columns of its line that are not of its numbers."""
    if values.ndim > 1:
        rows = ",\n".join(f"{indent}  {_braces(row, kind, indent + '  ')}" for row in values)
        return f"{{\n{rows}\n{indent}}}"
    text = ", ".join(literal(value, kind) for value in values.tolist())
    if len(text) <= _WIDTH - beside:
        return f"{{ {text} }}"
    lines = wrap(text, _WIDTH - len(indent) - 2, break_long_words=False)
    return "{\n" + "\n".join(f"{indent}  {line}" for line in lines) + f"\n{indent}}}"


def _guarded(name: str, parts: list[str]) -> str:
    guard = f"BITTRUE_{name.upper()}"
    return "\n".join([f"#ifndef {guard}", f"#define {guard}", "", *parts, "", "#endif", ""])


def _layout(case: Case) -> list[str]:
    node = case.output
    samples = f"{case.block} samples of {len_words(case.channels, 'channel')}"
    rows = ", ".join(node.rows)
    return [
        f"x: {samples}, interleaved, {in_words(Q15, 15)}.",
        f"y: {len_words(case.block // node.step, 'step')} of {len_words(len(node.rows), 'row')} ({rows}), "
        f"interleaved, {in_words(node.fmt, node.fmt.n)}.",
    ]


def len_words(n: int, noun: str) -> str:
    """ "1 row", "2 rows"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


CASE_H = """\
/* The vectors of the case that the Makefile names: OF(input) is mbdp_headset_input, and so on. */
#ifndef BITTRUE_CASE_H
#define BITTRUE_CASE_H

#include "device.h"
#include "vectors.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define OF(what) PASTE(CASE, what)

#endif
"""

MAIN_C = """\
/* Feeds a frozen input to device_process, block by block, and reports the first value that is not
 * that of the golden output. Status: 0 equal, 1 different. */
#include <stdio.h>
#include "case.h"

int main(void)
{
    const unsigned long per_call = OF(rows) * OF(steps);
    const unsigned long values = sizeof OF(output) / sizeof OF(output)[0];
    unsigned long different = 0;
    OF(output_t) y[OF(rows) * OF(steps)] = {0};

    device_reset();
    for (unsigned long call = 0; call < values / per_call; call++) {
        device_process(&OF(input)[call * OF(channels) * OF(block)], y);
        for (unsigned long i = 0; i < per_call; i++) {
            const unsigned long at = call * per_call + i;
            if (y[i] == OF(output)[at]) continue;
            if (different++ == 0)
                printf("first difference: call %lu, step %lu (%.6f s), row %lu (%s): "
                       "expected %ld, got %ld\\n",
                       call, at / OF(rows), (double)(at / OF(rows)) * OF(block) / OF(steps) / OF(fs_hz),
                       at % OF(rows), OF(row_names)[at % OF(rows)], (long)OF(output)[at], (long)y[i]);
        }
    }
    if (different != 0) printf("%lu of %lu values differ\\n", different, values);
    else printf("equal: all %lu values\\n", values);
    return different != 0;
}
"""

REPLAY_C = """\
/* No device: gives the golden output back. It shows the two functions and tries out the test itself. */
#include "case.h"

static unsigned long next_value;

void device_reset(void)
{
    next_value = 0;
}

void device_process(const int16_t *x, OF(output_t) *y)
{
    (void)x;
    for (int i = 0; i < OF(rows) * OF(steps); i++) y[i] = OF(output)[next_value++];
}
"""

MAKEFILE = """\
# make @ONE@: tests one case; make DEVICE=...: all.
# Several files: DEVICE="$PWD/your.c $PWD/more.c"; names without a folder are looked for beside this file.
# your.c includes that case's device.h and defines its two functions; replay.c shows how.
CC     ?= cc
CFLAGS ?= -std=c99 -O2 -Wall -Wextra
CASES  := @CASES@
CHECKS := $(CASES:%=check-%)

.PHONY: all clean $(CHECKS)
all: $(CHECKS)

# Built anew each time: DEVICE may be another one than before.
$(CHECKS): check-%:
	@test -n "$(DEVICE)" || { echo "DEVICE=your.c needed: what defines device_process" >&2; exit 2; }
	@mkdir -p build
	$(CC) $(CFLAGS) -I. -I$* -DCASE=$(subst -,_,$*) main.c $(DEVICE) $(LDLIBS) -o build/$*
	@echo "$*:" && ./build/$*

clean:
	rm -rf build
"""


def makefile(cases: Iterable[Case]) -> str:
    """The Makefile for these cases."""
    names = [case.name for case in cases]
    return MAKEFILE.replace("@CASES@", " ".join(names)).replace(
        "@ONE@", f'check-{names[0]} DEVICE="$PWD/your.c"'
    )
