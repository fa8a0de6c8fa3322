"""The example and the Makefile that go with exported products: of one, or of several."""

from collections.abc import Sequence

from firmware_model.device.export.configured import Configured
from firmware_model.device.export.facts import facts_of, filled, prefix

_HEAD = """\
/* An example: 16-bit samples in this machine's byte order, interleaved, from standard input.
 * Nothing here is needed on a device. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

@includes@
"""

_MAIN_OF_ONE = """\
int main(void)
{
    return run_@name@();
}
"""
_MAIN_OF_SEVERAL = """\
int main(int count, char **arguments)
{
@calls@
    fprintf(stderr, "main: @names@ needed\\n");
    return 2;
}
"""
_CALL = '    if (count == 2 && strcmp(arguments[1], "@name@") == 0) return run_@name@();'

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


def example_program(setups: Sequence[Configured]) -> str:
    """Text of main.c for one product or several."""
    names = [setup.name for setup in setups]
    includes = "\n".join(f'#include "{prefix(name)}.h"' for name in names)
    if len(names) == 1:
        main = _MAIN_OF_ONE.replace("@name@", names[0])
    else:
        calls = "\n".join(_CALL.replace("@name@", name) for name in names)
        main = _MAIN_OF_SEVERAL.replace("@calls@", calls).replace("@names@", " or ".join(names))
    parts = [filled(facts_of(setup).example, setup.product) for setup in setups]
    return "\n".join([_HEAD.replace("@includes@", includes), *parts, main])


def makefile(products: Sequence[str]) -> str:
    """Text of the Makefile."""
    return _MAKEFILE.replace("@products@", " ".join(prefix(name) for name in products))
