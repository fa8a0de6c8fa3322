"""The C program that runs the vectors of exported products, in parts: of one, or of several."""

from collections.abc import Sequence

from firmware_model.case import Form
from firmware_model.device.export.configured import Configured
from firmware_model.device.export.facts import filled, prefix

_HEAD = """\
/* Runs the vectors through the firmware; compares its output, and all of its memory afterwards, bit for bit
 * with the model's. The first value that differs is named. Status: 0 equal, 1 different. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

@includes@

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

typedef struct {
    const char *name;
    const void *expected;
    const void *got;
    size_t count;
    size_t bytes; /* of an element */
} comparison;

static int64_t element(const void *values, size_t bytes, size_t i)
{
    switch (bytes) {
    case 1: return ((const int8_t *)values)[i];
    case 2: return ((const int16_t *)values)[i];
    case 4: return ((const int32_t *)values)[i];
    default: return ((const int64_t *)values)[i];
    }
}

/* Elements that differ. The first is shown, as element `first` + i, where none differed `before`. */
static unsigned long differing(comparison c, size_t first, double seconds, unsigned long before)
{
    unsigned long found = 0;
    for (size_t i = 0; i < c.count; i++) {
        const int64_t expected = element(c.expected, c.bytes, i);
        const int64_t got = element(c.got, c.bytes, i);
        if (expected == got) continue;
        if (before + found == 0)
            printf("first difference: %s[%lu], %.6f s into the input: expected %lld, got %lld\\n", c.name,
                   (unsigned long)(first + i), seconds, (long long)expected, (long long)got);
        found++;
    }
    return found;
}

static int verdict(const char *product, unsigned long different, unsigned long outputs, unsigned long held)
{
    if (different != 0) printf("%s: %lu of %lu values differ\\n", product, different, outputs + held);
    else printf("%s: equal: %lu values of output, %lu of memory\\n", product, outputs, held);
    return different != 0;
}
"""

_SAMPLES = """\
static int test_@n@(void)
{
    enum {
        channels = @M@_CHANNELS,
        samples = @M@_VECTOR_SAMPLES,
        block = @M@_BLOCK,
        longest = 16 * block
    };
    static const char *const names[] = { @rows@ }; /* by channel */
    static @p@ self;
    static int16_t x[channels * longest], y[channels * longest];
#define MEMORY(path, member) \\
    { path, @p@_final_##member, self.memory.member, COUNT(self.memory.member), \\
      sizeof self.memory.member[0] },
    static const comparison memory[] = { @M@_ARRAYS(MEMORY) };
#undef MEMORY
    const double rate_hz = @M@_SAMPLE_RATE_HZ;
    unsigned long different = 0, held = 0;
    size_t n = block;

    memset(&self, 0xA5, sizeof self); /* what init leaves as it was shows */
    @p@_init(&self);
    /* frames of one block, of two, to the longest, and again */
    for (size_t first = 0; first < samples; first += n, n = n % longest + block) {
        if (n > samples - first) n = samples - first;
        for (size_t channel = 0; channel < channels; channel++)
            memcpy(&x[channel * n], &@p@_input[channel * samples + first], n * sizeof x[0]);
        @p@_process(&self, x, (int32_t)n, y);
        for (size_t i = 0; i < n; i++) {
            for (size_t channel = 0; channel < channels; channel++) {
                const int16_t *expected = &@p@_expected_y[channel * samples + first + i];
                const comparison one = { names[channel], expected, &y[channel * n + i], 1, sizeof y[0] };
                different += differing(one, first + i, (double)(first + i) / rate_hz, different);
            }
        }
    }
    for (size_t i = 0; i < COUNT(memory); i++) {
        different += differing(memory[i], 0, (double)samples / rate_hz, different);
        held += (unsigned long)memory[i].count;
    }
    return verdict("@n@", different, (unsigned long)channels * samples, held);
}
"""
_FIELDS = """\
static int test_@n@(void)
{
    enum { hop = @M@_BLOCK, hops = @M@_VECTOR_SAMPLES / hop };
    static @p@ self;
@x@#define MEMORY(path, member) \\
    { path, @p@_final_##member, self.memory.member, COUNT(self.memory.member), \\
      sizeof self.memory.member[0] },
    static const comparison memory[] = { @M@_ARRAYS(MEMORY) };
#undef MEMORY
    const double hop_s = (double)hop / @M@_SAMPLE_RATE_HZ;
    unsigned long different = 0, outputs = 0, held = 0;

    memset(&self, 0xA5, sizeof self); /* what init leaves as it was shows */
    @p@_init(&self);
    for (size_t i = 0; i < hops; i++) {
@process@
#define OUTPUT(field) \\
    { "output." #field, &@p@_expected_##field[i * COUNT(self.memory.output_##field)], \\
      self.output.field, COUNT(self.memory.output_##field), sizeof self.memory.output_##field[0] }
        const comparison output[] = { @outputs@ };
#undef OUTPUT
        for (size_t k = 0; k < COUNT(output); k++) {
            different += differing(output[k], 0, (double)(i + 1) * hop_s, different);
            outputs += (unsigned long)output[k].count;
        }
    }
    for (size_t k = 0; k < COUNT(memory); k++) {
        different += differing(memory[k], 0, (double)hops * hop_s, different);
        held += (unsigned long)memory[k].count;
    }
    return verdict("@n@", different, outputs, held);
}
"""

_OF_ONE = "        @p@_process(&self, &@p@_input[i * hop]);"
_OF_SEVERAL = """\
        for (size_t channel = 0; channel < @M@_CHANNELS; channel++)
            memcpy(&x[channel * hop], &@p@_input[channel * @M@_VECTOR_SAMPLES + i * hop], hop * sizeof x[0]);
        @p@_process(&self, x);"""
_BLOCK = "    static int16_t x[@M@_CHANNELS * @M@_BLOCK];\n"

_MAIN = """\
int main(void)
{
    int different = 0;
@calls@
    return different;
}
"""


def vectors_program(setups: Sequence[Configured]) -> str:
    """Text of test_vectors.c for one product or several."""
    names = [setup.name for setup in setups]
    includes = "\n".join(f'#include "{prefix(name)}_vectors.h"' for name in names)
    calls = "\n".join(f"    different |= test_{name}();" for name in names)
    parts = [_HEAD.replace("@includes@", includes), *map(_part, setups)]
    return "\n".join([*parts, _MAIN.replace("@calls@", calls)])


def _part(setup: Configured) -> str:
    if setup.form == Form.SAMPLES:
        rows = ", ".join(f'"y[{channel}]"' for channel in range(max(2, setup.channels)))
        return filled(_SAMPLES, setup.product).replace("@rows@", rows)
    fields = zip(setup.output._fields, setup.output, strict=True)
    outputs = ", ".join(f"OUTPUT({field})" for field, values in fields if values.size)
    process, x = (_OF_ONE, "") if setup.channels == 1 else (_OF_SEVERAL, _BLOCK)
    text = _FIELDS.replace("@process@", process).replace("@x@", x)
    return filled(text, setup.product).replace("@outputs@", outputs)
