"""What an exported product's files say of it: the product's own words, or those of its form.

A product with options of `bittrue export`, or with words of its own, has a module `firmware` with

OPTIONS : tuple of `Option`; may be empty
configure : values of the options by their names without dashes, None where left out -> `Configured`
notes : the same values -> lines to print
FACTS : `Facts`
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from firmware_model.case import Form
from firmware_model.device.export.configured import Configured
from firmware_model.product import Product


class Option(NamedTuple):
    """An option of `bittrue export` that only one product has.

    name : "--rate";  kind : str, int or list[str], the last for one that may be repeated
    secret : whether a message must not show what was given
    """

    name: str
    kind: Any
    metavar: str
    help: str
    secret: bool = False

    @property
    def key(self) -> str:
        """Its name in `configure`'s values."""
        return self.name.removeprefix("--").replace("-", "_")


class Facts(NamedTuple):
    """Texts; in them @p@ is bittrue_NAME, @M@ that in capitals, @n@ the name.

    instance : of an example's variable
    process : comment and prototype of PREFIX_process in the header
    macros : further defines of the header, name -> (value, comment)
    readme : its part of README.md;  readme_values : what stands for @name@ in it besides
    example : the function run_NAME of main.c, and its comment
    unrolled : what -fno-unroll-loops does on a Cortex-M4: "3 % fewer" instructions; empty where not measured
    """

    process: str
    readme: str
    example: str
    instance: str = "self"
    macros: Callable[[Configured], Mapping[str, tuple[int, str]]] = lambda setup: MappingProxyType({})
    readme_values: Callable[[Configured], Mapping[str, Any]] = lambda setup: MappingProxyType({})
    unrolled: str = ""


_SAMPLES_PROCESS = """\
/* n samples of each channel, n a multiple of @M@_BLOCK; what is left over is not touched.
 *
 * x, y : Q1.15; all samples of the first channel, then all of the second. y may be x. It is x of
 *        @M@_LATENCY samples ago, processed. */
void @p@_process(@p@ *self, const int16_t *x, int32_t n, int16_t *y);
"""
_SAMPLES_README = """
## @p@: @label@

    static @p@ @instance@;
    @p@_init(&@instance@);
    @p@_process(&@instance@, x, n, y);

x and y hold n samples@channels@, Q1.15 (int16, full scale 32768). n is any
multiple of @block@ (`@M@_BLOCK`); y may be x. The output is @latency@ samples late
(`@M@_LATENCY`). How the signal is cut into frames changes nothing.
"""
_SAMPLES_EXAMPLE = """\
/* Samples to standard output, @M@_LATENCY late; the last frame is filled up with silence. */
static int run_@n@(void)
{
    enum { channels = @M@_CHANNELS, frame = 16 * @M@_BLOCK };
    static @p@ self; /* static: no room for it on a small stack */
    static int16_t interleaved[frame * channels], x[channels * frame];
    size_t read = frame;

    @p@_init(&self);
    while (read == frame) {
        memset(interleaved, 0, sizeof interleaved);
        read = fread(interleaved, sizeof interleaved[0] * channels, frame, stdin);
        for (size_t i = 0; i < frame * channels; i++) x[i % channels * frame + i / channels] = interleaved[i];
        @p@_process(&self, x, frame, x);
        for (size_t i = 0; i < frame * channels; i++) interleaved[i] = x[i % channels * frame + i / channels];
        if (fwrite(interleaved, sizeof interleaved[0] * channels, read, stdout) != read) return 1;
    }
    return 0;
}
"""
_FIELDS_PROCESS = """\
/* One block: @M@_BLOCK samples of each channel, x in Q1.15, all of the first channel, then all of the
 * second. What it gives is in self->output. */
void @p@_process(@p@ *self, const int16_t *x);
"""
_FIELDS_README = """
## @p@: @label@

    static @p@ @instance@;
    @p@_init(&@instance@);
    @p@_process(&@instance@, x);

x is one block of @block@ samples (`@M@_BLOCK`)@channels@, Q1.15 (int16, full scale 32768). What it gives is
in `@instance@.output`, filled anew with each block.
"""
_FIELDS_EXAMPLE = """\
/* The first value of each field of the output, block by block; samples short of a block are dropped. */
static int run_@n@(void)
{
    enum { channels = @M@_CHANNELS, block = @M@_BLOCK };
    static @p@ self; /* static: no room for it on a small stack */
    static int16_t interleaved[block * channels], x[channels * block];

    @p@_init(&self);
    while (fread(interleaved, sizeof interleaved[0] * channels, block, stdin) == block) {
        for (size_t i = 0; i < block * channels; i++) x[i % channels * block + i / channels] = interleaved[i];
        @p@_process(&self, x);
@fields@        printf("\\n");
    }
    return 0;
}
"""
_SAMPLES = Facts(
    process=_SAMPLES_PROCESS,
    readme=_SAMPLES_README,
    example=_SAMPLES_EXAMPLE,
    macros=lambda setup: {"LATENCY": (setup.latency_samples, "samples from input to output")},
)
_FIELDS = Facts(process=_FIELDS_PROCESS, readme=_FIELDS_README, example=_FIELDS_EXAMPLE)
OF_SAMPLES = _SAMPLES  # for products that give samples and have a word more to say


def facts_of(setup: Configured) -> Facts:
    """Of a product in this configuration.

    Raises
    ------
    ProductError
    """
    if setup.product.has("firmware"):
        own: Facts = setup.product.part("firmware").FACTS
        return own
    if setup.form == Form.SAMPLES:
        return _SAMPLES
    shown = [
        f'        printf("{field} %ld ", (long)self.output.{field}[0]);\n'
        for field, values in zip(setup.output._fields, setup.output, strict=True)
        if values.size
    ]
    return _FIELDS._replace(example=_FIELDS_EXAMPLE.replace("@fields@", "".join(shown)))


def prefix(name: str) -> str:
    """What files and public names of a product begin with."""
    return f"bittrue_{name}"


def filled(text: str, product: Product) -> str:
    """A text with the product's names in it."""
    own = prefix(product.name)
    return text.replace("@p@", own).replace("@M@", own.upper()).replace("@n@", product.name)
