"""The example and the Makefile that go with exported products: either product may come alone."""

from collections.abc import Sequence

_HEAD = """\
/* An example: 16-bit samples in this machine's byte order, interleaved, from standard input.
 * Nothing here is needed on a device. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

@includes@
"""

_PARTS = {
    "mbdp": """\
/* Samples to standard output, BITTRUE_MBDP_LATENCY late; the last frame is filled up with silence. */
static int run_mbdp(void)
{
    enum { channels = BITTRUE_MBDP_CHANNELS, frame = 16 * BITTRUE_MBDP_BLOCK };
    static bittrue_mbdp self; /* static: no room for it on a small stack */
    static int16_t interleaved[frame * channels], x[channels * frame];
    size_t read = frame;

    bittrue_mbdp_init(&self);
    while (read == frame) {
        memset(interleaved, 0, sizeof interleaved);
        read = fread(interleaved, sizeof interleaved[0] * channels, frame, stdin);
        for (size_t i = 0; i < frame * channels; i++) x[i % channels * frame + i / channels] = interleaved[i];
        bittrue_mbdp_process(&self, x, frame, x);
        for (size_t i = 0; i < frame * channels; i++) interleaved[i] = x[i % channels * frame + i / channels];
        if (fwrite(interleaved, sizeof interleaved[0] * channels, read, stdout) != read) return 1;
    }
    return 0;
}
""",
    "watermark": """\
/* A line of text to standard output for each mark; samples short of a hop are dropped. */
static int run_watermark(void)
{
    static bittrue_watermark self; /* static: no room for it on a small stack */
    static int16_t x[BITTRUE_WATERMARK_BLOCK];

    bittrue_watermark_init(&self);
    while (fread(x, sizeof x[0], BITTRUE_WATERMARK_BLOCK, stdin) == BITTRUE_WATERMARK_BLOCK) {
        bittrue_watermark_process(&self, x);
        for (int key = 0; key < BITTRUE_WATERMARK_KEYS; key++) {
            const int32_t *report = &self.output.report[key * BITTRUE_WATERMARK_REPORT_COLUMNS];
            if (report[BITTRUE_WATERMARK_REPORT_FOUND] == 0) continue;
            const double hops = report[BITTRUE_WATERMARK_REPORT_HOP] + 1.0;
            const double score = report[BITTRUE_WATERMARK_REPORT_SCORE_Q9];
            printf("key %d: mark ends %.3f s into the input, score %.2f\\n", key,
                   hops * BITTRUE_WATERMARK_BLOCK / BITTRUE_WATERMARK_SAMPLE_RATE_HZ,
                   score / (1 << BITTRUE_WATERMARK_SCORE_FRAC_BITS));
        }
    }
    return 0;
}
""",
}

_MAIN_OF_ONE = """\
int main(void)
{
    return run_@name@();
}
"""
_MAIN_OF_BOTH = """\
int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "mbdp") == 0) return run_mbdp();
    if (count == 2 && strcmp(arguments[1], "watermark") == 0) return run_watermark();
    fprintf(stderr, "main: mbdp or watermark needed\\n");
    return 2;
}
"""

_MAKEFILE = """\
# make: the example, build/main; make test: the vectors, bit for bit.
CC     ?= cc
CFLAGS ?= -std=c99 -Wall -Wextra -Wconversion -Wsign-conversion -pedantic -Werror -O2

PRODUCTS := @products@
HEADERS  := $(wildcard *.h)
BUILT_WITH = $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)

.PHONY: all test clean again
all: build/main build/test_vectors

test: build/test_vectors
	./build/test_vectors

build/main build/test_vectors: build/%: build/%.o $(PRODUCTS:%=build/%.o)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

build/%.o: %.c $(HEADERS) build/flags
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# Changes when the compiler or its flags do, so that all is built anew.
build/flags: again
	@mkdir -p build
	@echo '$(BUILT_WITH)' | cmp -s - $@ || echo '$(BUILT_WITH)' > $@

clean:
	rm -rf build
"""


def example_program(products: Sequence[str]) -> str:
    """Text of main.c for "mbdp", "watermark" or both."""
    includes = "\n".join(f'#include "bittrue_{name}.h"' for name in products)
    main = _MAIN_OF_BOTH if len(products) > 1 else _MAIN_OF_ONE.replace("@name@", products[0])
    return "\n".join([_HEAD.replace("@includes@", includes), *(_PARTS[name] for name in products), main])


def makefile(products: Sequence[str]) -> str:
    """Text of the Makefile."""
    return _MAKEFILE.replace("@products@", " ".join(f"bittrue_{name}" for name in products))
