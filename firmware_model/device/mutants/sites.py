"""Places of an exported product's C where a constant or the width of a sum can be wrong, each with a switch.

The C is that of `device.export`: one function after the other, a statement to a line or to a few. Switches go
in as text, so that one compilation serves all mistakes: `planted_at` says which of them is made.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

CONSTANT, SUM, PRODUCT = "constant", "sum", "product"
AT, VALUE, BITS, CONFIGURE = "planted_at", "planted_value", "planted_bits", "planted_configure"
SWITCHES = f"""
int32_t {AT} = -1;
int64_t {VALUE};
int32_t {BITS};

static int64_t planted_wrap(int32_t at, int64_t x)
{{
    const int64_t half = INT64_C(1) << ({BITS} - 1);
    if (at != {AT}) {{
        return x;
    }}
    return (int64_t)((((uint64_t)x + (uint64_t)half) & (uint64_t)(2 * half - 1)) - (uint64_t)half);
}}

#define PLANTED_CONSTANT(at, x) ((at) == {AT} ? {VALUE} : (int64_t)(x))
#define PLANTED_WIDTH(at, x) planted_wrap((at), (x))
"""
CONFIGURED = "configuration"  # the params of a product, apart from its tables
_HELPERS = frozenset({"asr", "asr32", "clz32"})  # of the translation, not of a kernel
_TOKEN = re.compile(
    r"(?P<skip>/\*.*?\*/|\s+|^#[^\n]*)"
    r"|(?P<number>INT64_C\((?:0x[0-9A-Fa-f]+|\d+)\)|0x[0-9A-Fa-f]+U?|\d+U?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign><<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||->|\+\+|--|[-+*&|^]=|.)",
    re.S | re.M,
)
_TABLE = re.compile(r"^static const (int\d+_t) (\w+)\[([^\]]*)\] = \{", re.M)
_DEFINE = re.compile(r"^#define (\w+) (\(-(?:INT64_C\(\d+\)|\d+)\)|INT64_C\(\d+\)|\d+)(?=\s|$)", re.M)
_CONFIGURATION = re.compile(r"^static const (\w+ configuration = \{\n)(.*?)^\};", re.M | re.S)
_FIELD = re.compile(r"^\s*\.(\w+) = (?:(\{)|(-?\d+|-?INT64_C\(\d+\)|\(-.*\)),)|^\s*(\}),")
_WORDS = {"int32_t": 32, "int16_t": 16, "int8_t": 8}


_MakeSite = Callable[[str, str, int, int], int]  # kind, where, place in the source, value -> index


class Site(NamedTuple):
    """A place.

    kind : CONSTANT, SUM or PRODUCT
    where : function, table or "configuration"
    text : the line, as it stands in the C
    value : of a constant, else 0
    number : which of the places of this kind there
    """

    kind: str
    where: str
    text: str
    value: int
    number: int


class Table(NamedTuple):
    """A table of integers that a mistake may change where it lies. bits : of an element"""

    name: str
    bits: int


class Planted(NamedTuple):
    """source : C with a switch at each site, by its index;  tables : whose elements are sites besides"""

    source: str
    sites: tuple[Site, ...]
    tables: tuple[Table, ...]


class _Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def with_switches(source: str) -> Planted:
    """The C of a product, text of PREFIX.c, with a switch at each constant and each sum."""
    sites: list[Site] = []
    counts: dict[tuple[str, str], int] = {}
    changes: list[tuple[int, int, str]] = []  # start, end, what stands there instead

    def site(kind: str, where: str, at: int, value: int = 0, text: str = "") -> int:
        first, last = source.rfind("\n", 0, at) + 1, source.find("\n", at)
        count = counts[kind, where] = counts.get((kind, where), 0) + 1
        line, _, _ = source[first:last].partition("/*")
        sites.append(Site(kind, where, text or line.strip(), value, count))
        return len(sites) - 1

    end = source.index("/* ==== The instance */")
    for found in _DEFINE.finditer(source, 0, end):
        at = site(CONSTANT, found[1], found.start(), _value(found[2]), f"#define {found[1]} {found[2]}")
        changes.append((found.start(2), found.end(2), f"PLANTED_CONSTANT({at}, {found[2]})"))
    tables = []
    for found in _TABLE.finditer(source, 0, end):
        changes.append((found.start(), found.start(1), ""))
        tables.append(Table(found[2], int(re.sub(r"\D", "", found[1].removesuffix("_t")))))
    configuration = _CONFIGURATION.search(source, 0, end)
    assert configuration is not None
    changes.append((configuration.start(), configuration.start(1), "static "))
    lines = []
    for place, path, value in _scalars(configuration):
        at = site(CONSTANT, CONFIGURED, place, value, path)
        lines.append(f"    configuration.{path} = PLANTED_CONSTANT({at}, INT64_C({value}));\n")
    kernels, _, _ = source[:end].partition("/* ==== The configuration")
    for name, tokens in _functions(kernels):
        if name not in _HELPERS:
            changes += _literals(name, tokens, site)
            for statement in _statements(tokens):
                changes += _sums(name, statement, site, source)
                changes += _products(name, statement, site)
    text = source
    for start, stop, new in sorted(changes, key=lambda change: (change[0], change[1]), reverse=True):
        text = text[:start] + new + text[stop:]
    head, line, rest = text.partition("\n")
    configure = f"\nvoid {CONFIGURE}(void);\nvoid {CONFIGURE}(void)\n{{\n{''.join(lines)}}}\n"
    return Planted(head + line + SWITCHES + rest + configure, tuple(sites), tuple(tables))


def _scalars(configuration: re.Match[str]) -> Iterator[tuple[int, str, int]]:
    """Place, path and value of each integer of the configuration that is not in a table, and no length."""
    path: list[str] = []
    at = configuration.start(2)
    for line in configuration[2].splitlines(keepends=True):
        found = _FIELD.match(line)
        if found and found[2]:
            path.append(found[1])
        elif found and found[4]:
            path.pop()
        elif found and not found[1].endswith(("_columns", "_rows", "_length")):
            yield at, ".".join([*path, found[1]]), _value(found[3])
        at += len(line)


def _value(text: str) -> int:
    return int(re.sub(r"INT64_C\(|[()U]", "", text), 0)


def _functions(text: str) -> Iterator[tuple[str, list[_Token]]]:
    """Name and tokens of each function's body."""
    tokens = [_Token(m.lastgroup or "", m[0], m.start()) for m in _TOKEN.finditer(text) if not m["skip"]]
    depth, begin, name = 0, 0, ""
    for i, token in enumerate(tokens):
        if token.text == "{":
            if depth == 0:
                begin, name = i + 1, _name_before(tokens, i)
            depth += 1
        elif token.text == "}":
            depth -= 1
            if depth == 0 and name:
                yield name, tokens[begin:i]


def _name_before(tokens: list[_Token], brace: int) -> str:
    """Of the function whose body begins here; "" of a table or a struct."""
    if tokens[brace - 1].text != ")":
        return ""
    return tokens[_opening(tokens, brace - 1) - 1].text


def _opening(tokens: list[_Token], close: int) -> int:
    depth = 0
    for i in range(close, -1, -1):
        depth += (tokens[i].text in ")]") - (tokens[i].text in "([")
        if depth == 0:
            return i
    raise ValueError("parentheses")


def _closing(tokens: list[_Token], start: int) -> int:
    depth = 0
    for i in range(start, len(tokens)):
        depth += (tokens[i].text in "([") - (tokens[i].text in ")]")
        if depth == 0:
            return i
    raise ValueError("parentheses")


def _literals(name: str, tokens: list[_Token], site: _MakeSite) -> Iterator[tuple[int, int, str]]:
    for i, token in enumerate(tokens):
        if token.kind != "number" or token.text.endswith("U"):
            continue
        start, text, value = token.start, token.text, _value(token.text)
        if i and tokens[i - 1].text == "-" and (i < 2 or tokens[i - 2].text in "(=,<>?:"):
            start, text, value = tokens[i - 1].start, f"-{token.text}", -value
        at = site(CONSTANT, name, token.start, value)
        yield start, token.end, f"PLANTED_CONSTANT({at}, {text})"


def _statements(tokens: list[_Token]) -> Iterator[list[_Token]]:
    """Without their ends; the heads of loops and branches are left out."""
    begin, i = 0, 0
    while i < len(tokens):
        if tokens[i].text in ("for", "if", "while"):
            i = begin = _closing(tokens, i + 1) + 1
            continue
        if tokens[i].text in ("{", "}", ";"):
            if tokens[i].text == ";" and i > begin:
                yield tokens[begin:i]
            begin = i + 1
        i += 1


def _sums(name: str, statement: list[_Token], site: _MakeSite, source: str) -> list[tuple[int, int, str]]:
    """A switch around the value of what adds to itself, or adds products up."""
    i = _assignment(statement)
    if i is None:
        return []
    value, target = statement[i + 1 :], statement[:i]
    first, last = value[0], value[-1]
    if statement[i].text in ("+=", "-="):
        at = site(SUM, name, first.start, 0)
        left = source[target[0].start : target[-1].end]
        sign = statement[i].text[0]
        return [
            (statement[i].start, statement[i].end, f"= PLANTED_WIDTH({at}, {left} {sign} ("),
            (last.end, last.end, "))"),
        ]
    added = any(
        v.text in "+-" and j and (value[j - 1].kind != "sign" or value[j - 1].text in ")]")
        for j, v in enumerate(value)
    )
    own = [t.text for t in target if t.text not in ("const", "int32_t", "int64_t")]
    texts = [v.text for v in value]
    adds_to_itself = any(texts[j : j + len(own)] == own for j in range(len(texts))) if own else False
    if not added or not (adds_to_itself or _multiplies(value)):
        return []
    if any(t.text in _WORDS for t in target):
        return []  # is a word in the C too
    at = site(SUM, name, first.start, 0)
    return [(first.start, first.start, f"PLANTED_WIDTH({at}, "), (last.end, last.end, ")")]


def _assignment(statement: list[_Token]) -> int | None:
    """Where a value follows: at the assignment, or at `return`; None where none does."""
    depth = 0
    for i, token in enumerate(statement):
        depth += (token.text in "([") - (token.text in ")]")
        if depth == 0 and token.text in ("=", "+=", "-="):
            return i
    return 0 if statement[0].text == "return" and len(statement) > 1 else None


def _multiplies(value: list[_Token]) -> bool:
    return any(_is_product(value, i) for i in range(len(value)))


def _is_product(tokens: list[_Token], i: int) -> bool:
    """Whether * multiplies here, and not in an index."""
    if tokens[i].text != "*" or i == 0 or not (tokens[i - 1].kind != "sign" or tokens[i - 1].text in ")]"):
        return False
    return sum((t.text == "[") - (t.text == "]") for t in tokens[:i]) == 0


def _products(name: str, statement: list[_Token], site: _MakeSite) -> list[tuple[int, int, str]]:
    """A switch around each product of two values neither of which is a literal."""
    changes = []
    for i in range(len(statement)):
        if not _is_product(statement, i):
            continue
        begin, end = _left(statement, i - 1), _right(statement, i + 1)
        if statement[i - 1].kind == "number" or statement[i + 1].kind == "number":
            continue
        at = site(PRODUCT, name, statement[i].start, 0)
        changes += [
            (statement[begin].start, statement[begin].start, f"PLANTED_WIDTH({at}, "),
            (statement[end].end, statement[end].end, ")"),
        ]
    return changes


def _left(tokens: list[_Token], last: int) -> int:
    """Where the factor that ends at `last` begins."""
    i = last
    while True:
        if tokens[i].text in ")]":
            i = _opening(tokens, i)
        before = tokens[i - 1] if i else None
        if before is not None and before.text in (".", "->"):
            i -= 2
        elif before is not None and tokens[i].text in "([" and (before.kind == "name" or before.text in ")]"):
            i -= 1  # the function that is called, the array
        elif before is not None and before.text == ")" and tokens[i].text not in "[":
            opening = _opening(tokens, i - 1)  # a cast
            if all(t.kind == "name" for t in tokens[opening + 1 : i - 1]):
                return opening
            return i
        else:
            return i


def _right(tokens: list[_Token], first: int) -> int:
    """Where the factor that begins at `first` ends."""
    i = first
    while tokens[i].text == "(":
        i = _closing(tokens, i)
        if i + 1 >= len(tokens) or (tokens[i + 1].kind == "sign" and tokens[i + 1].text != "("):
            break
        i += 1  # that was a cast
    while i + 1 < len(tokens) and tokens[i + 1].text in ("(", "[", "->", "."):
        i = _closing(tokens, i + 1) if tokens[i + 1].text in "([" else i + 2
    return i
