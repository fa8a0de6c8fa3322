"""The shape of the house: sizes, chains of imports, tests beside what they test, and products' names."""

import ast
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

from firmware_model.product import BUILT_IN, LIBRARY
from tests.test_imports import ROOT, Source, imported, parse, planted

PACKAGES = ("fixedpoint", "firmware_model", "acoustic_sim", "benchmarks")
MAX_FILES, MAX_LINES, MAX_TEST_LINES, MAX_CHAIN = 15, 400, 450, 8
# Folders of what serves all products, in which none of them is named.
SHARED = (
    "fixedpoint",
    "acoustic_sim",
    *(f"firmware_model/{name}" for name in ("golden", "device", "report", "cli")),
)
# Folders whose tests are others': texts, data, and parts that a product's own tests and `check` go through.
UNTESTED = ("benchmarks", "firmware_model/cli/newcomer/template")


def sources_of(root: Path, packages: Iterable[str]) -> dict[str, Source]:
    """Every .py file by module name."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            relative = path.relative_to(root)
            parts = relative.with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text("utf-8")
            found[module] = Source(relative.as_posix(), module, text, parse(text))
    return found


@cache
def ours() -> dict[str, Source]:
    return sources_of(ROOT, PACKAGES)


def folder_of(source: Source) -> str:
    return str(Path(source.path).parent.as_posix())


def too_large(root: Path, packages: Iterable[str], lines: int, files: int | None = None) -> list[str]:
    """Files and folders beyond their limits."""
    sources = sources_of(root, packages).values()
    found = [f"{s.path}: {s.text.count(chr(10))} lines" for s in sources if s.text.count("\n") > lines]
    if files is not None:
        folders = [folder_of(source) for source in sources]
        found += [
            f"{name}: {folders.count(name)} files"
            for name in sorted(set(folders))
            if folders.count(name) > files
        ]
    return found


def graphs(sources: Mapping[str, Source]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """(folder -> folders that it imports from, module -> modules of its own folder)."""
    modules = frozenset(sources)
    folders: dict[str, set[str]] = {folder_of(source): set() for source in sources.values()}
    within: dict[str, set[str]] = {name: set() for name in sources}
    for name, source in sources.items():
        for target, _ in imported(source, modules):
            if target in modules and target != name:
                there = folder_of(sources[target])
                if there == folder_of(source):
                    within[name].add(target)
                else:
                    folders[folder_of(source)].add(there)
    return folders, within


def longest_chain(graph: Mapping[str, set[str]]) -> list[str]:
    """The longest path; of a cycle, which has no end, its names, the first once more at its end."""
    known: dict[str, list[str]] = {}

    class Cycle(Exception):
        pass

    def chain(name: str, trail: tuple[str, ...]) -> list[str]:
        if name in trail:
            raise Cycle([*trail[trail.index(name) :], name])
        if name not in known:
            rest = [chain(target, (*trail, name)) for target in sorted(graph[name])]
            known[name] = [name, *max(rest, key=len, default=[])]
        return known[name]

    try:
        return max((chain(name, ()) for name in graph), key=len)
    except Cycle as cycle:
        return list(cycle.args[0])


def product_names() -> dict[str, str]:
    """What must not stand in what serves all products -> why."""
    names = {}
    for product in BUILT_IN:
        names[product.name] = f"the product {product.name}"
        names[product.package.rpartition(".")[2]] = f"the module {product.package}"
    return names


def named_products(root: Path, packages: Iterable[str] = SHARED) -> list[str]:
    """Identifiers, imports and strings, docstrings apart, that are a product's name or its module's."""
    names, found = product_names(), []
    for source in sources_of(root, packages).values():
        prose = {id(node) for node in _docstrings(source.tree)}
        for node in ast.walk(source.tree):
            for text in _texts(node):
                if id(node) in prose:
                    continue
                for part in text.replace(".", " ").replace("/", " ").replace(":", " ").split():
                    if part in names and (text == part or " " not in text):
                        found.append(f"{source.path}:{getattr(node, 'lineno', 0)} {text!r}: {names[part]}")
    return found


def _docstrings(tree: ast.AST) -> Iterable[ast.AST]:
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and ast.get_docstring(node) is not None
        ):
            assert isinstance(node.body[0], ast.Expr)
            yield node.body[0].value


def _texts(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.arg) or (isinstance(node, ast.keyword) and node.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.name
        if node.asname:
            yield node.asname
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def test_files_and_folders_are_of_a_size_to_be_read():
    assert too_large(ROOT, PACKAGES, MAX_LINES, MAX_FILES) == []


def test_files_of_tests_are_of_a_size_to_be_read():
    assert too_large(ROOT, ["tests"], MAX_TEST_LINES) == []


def test_chains_of_imports_between_folders_are_short_and_have_no_cycle():
    chain = longest_chain(graphs(ours())[0])
    assert len(chain) <= MAX_CHAIN, chain


def test_chains_of_imports_within_a_folder_are_short_and_have_no_cycle():
    chain = longest_chain(graphs(ours())[1])
    assert len(chain) <= MAX_CHAIN, chain


def test_tests_stand_where_what_they_test_stands():
    """Each folder of tests is a folder of the packages."""
    tested = {
        path.parent.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("test_*.py")
    }
    folders = {folder_of(source) for source in ours().values()}
    assert sorted(tested - folders - {"."}) == []


def test_what_serves_all_products_names_none():
    assert named_products(ROOT) == []


def test_the_register_names_each_built_in_product_on_one_line():
    text = (ROOT / "firmware_model/product.py").read_text("utf-8")
    for product in BUILT_IN:
        assert len([line for line in text.splitlines() if f'"{product.name}"' in line]) == 1
    assert LIBRARY not in BUILT_IN


def test_make_knows_that_no_target_is_a_file():
    text = (ROOT / "Makefile").read_text("utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    targets = re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE)
    assert sorted(phony.split()) == sorted(set(targets))


# The checks above can fail


def test_what_is_too_large_is_found(tmp_path):
    planted(tmp_path, {f"fixedpoint/f{i}.py": "" for i in range(3)} | {"fixedpoint/long.py": "\n" * 5})
    assert too_large(tmp_path, ["fixedpoint"], 5, 3) == ["fixedpoint/long.py: 7 lines", "fixedpoint: 4 files"]


def test_the_longest_chain_and_a_cycle_are_found():
    assert longest_chain({"a": {"b"}, "b": {"c"}, "c": set(), "d": {"c"}}) == ["a", "b", "c"]
    assert longest_chain({"a": {"b"}, "b": {"a"}}) == ["a", "b", "a"]


def test_folders_count_as_a_chain(tmp_path):
    planted(
        tmp_path,
        {"a/x.py": "from b import y\nfrom a import z", "a/z.py": "", "b/y.py": "", "b/__init__.py": ""},
    )
    folders, within = graphs(sources_of(tmp_path, ["a", "b"]))
    assert folders == {"a": {"b"}, "b": set()}
    assert within["a.x"] == {"a.z"}


@pytest.mark.parametrize(
    "statement",
    [
        "import firmware_model.watermark",
        "from firmware_model.dynamics import level",
        "x = 'mbdp'",
        "x = {'watermark': 1}",
        "watermark = 1",
        "f(mbdp=1)",
        "x = 'firmware_model.watermark.cases'",
        "x = 'firmware_model/dynamics/cases'",
    ],
)
def test_a_planted_name_is_found(tmp_path, statement):
    planted(tmp_path, {"firmware_model/golden/deep/a.py": statement})
    assert named_products(tmp_path), statement


def test_prose_may_speak_of_products(tmp_path):
    text = (
        'def f():\n    """As the watermark has it."""  # of mbdp\n    return \'not of the watermark alone\'\n'
    )
    planted(tmp_path, {"firmware_model/golden/a.py": text})
    assert named_products(tmp_path) == []
