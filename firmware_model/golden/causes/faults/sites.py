"""A copy of the kernels in which any rounding, sum, product, shift, comparison or constant can be wrong.

Each of these in a kernel is a *site* (see `rewriting`). The copy hands each kernel one more argument,
`fault`, an array with a mode for each site (see `primitives`), so that one compilation serves all suspects:
with all modes 0 the copy computes what the original does.
"""

import ast
import hashlib
import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from firmware_model.golden.causes.faults.rewriting import ENTRY, Rewrite, Site, is_kernel
from firmware_model.golden.store import goldens_folder
from firmware_model.product import Product
from firmware_model.runs import call_kernel

ROOT = Path(__file__).resolve().parents[4]
_PACKAGES = ("fixedpoint", "firmware_model")
_PRIMITIVES_FILE = "firmware_model/golden/causes/faults/primitives.py"
_FAULT_MODULE = "fixedpoint.fault"  # in the copy
_SITE = """
def site_{name}({arguments}, fault, i):
    mode = fault[0, i]
    if mode != WATCHED:
        return faulty_{name}({arguments}, mode)
    exact = faulty_{name}({arguments}, EXACT)
    for other in range(1, NEIGHBOUR):
        if faulty_{name}({arguments}, other) != exact:
            fault[1, i] |= 1 << other
    return exact
"""
_SEARCH = "firmware_model.golden.causes.faults.search"


class Copy(NamedTuple):
    """The altered copy.

    files : text by path from the root;  sites : in the order of their modes
    calls : by (file, kernel), names of the kernels that it calls; a name stands for all kernels of that name
    """

    files: dict[str, str]
    sites: list[Site]
    calls: dict[tuple[str, str], set[str]]

    def reachable(self, package: str) -> list[int]:
        """Indices of the sites in what the kernels under a folder, "firmware_model/dynamics", may call."""
        near = {
            (file, kernel): called
            for (file, kernel), called in self.calls.items()
            if file.startswith((f"{package}/", "fixedpoint/"))
        }
        pending = [kernel for file, kernel in near if file.startswith(f"{package}/")]
        found: set[str] = set()
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += [
                    called for (_, kernel), names in near.items() if kernel == name for called in names
                ]
        return [
            i
            for i, site in enumerate(self.sites)
            if site.kernel in found and (site.file, site.kernel) in near
        ]


def _kernels_of(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and is_kernel(node)}


def _known_kernels(tree: ast.Module, kernels: dict[str, set[str]]) -> set[str]:
    """Names by which a module calls kernels: its own, those that it imports, and any kernel's caller."""
    known = _kernels_of(tree) | {call_kernel.__name__}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in kernels:
            known |= {alias.name for alias in node.names} & kernels[node.module]
    return known


def _roots(product: Product | None, root: Path) -> dict[str, Path]:
    """The folder that holds each top-level package: ours, and that of a product."""
    roots = dict.fromkeys(_PACKAGES, root)
    top = product.package.split(".")[0] if product else _PACKAGES[0]
    if top not in roots:
        roots[top] = goldens_folder(Product(top, "", top)).parents[1]
    return roots


def _trees(product: Product | None, roots: dict[str, Path]) -> dict[str, ast.Module]:
    """Syntax trees by path of all that the search for a fault imports, and that a product's cases do."""
    pending, trees = [_SEARCH], {}
    if product is not None:
        pending += [f"{product.package}.{part}" for part in ("cases", "faults") if product.has(part)]
        pending += [product.package.rsplit(".", depth)[0] for depth in range(product.package.count(".") + 1)]
    while pending:
        name = pending.pop()
        root = roots[name.split(".")[0]]
        for path in (
            root.joinpath(*name.split(".")).with_suffix(".py"),
            root.joinpath(*name.split("."), "__init__.py"),
        ):
            file = path.relative_to(root).as_posix()
            if file in trees or not path.is_file():
                continue
            trees[file] = ast.parse(path.read_text("utf-8"))
            pending += [imported for imported in _imported(trees[file]) if imported.split(".")[0] in roots]
    return dict(sorted(trees.items()))


def _imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names of the modules that a module may import, and the packages that hold them."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def rewrite(product: Product | None = None, root: Path = ROOT, operators: bool = True) -> Copy:
    """The altered copy of the packages under a folder, as far as a product needs them.

    operators : whether sums, products, shifts, comparisons and constants are sites as well
    """
    trees = _trees(product, _roots(product, root))
    kernels = {_module(file): _kernels_of(tree) for file, tree in trees.items()}
    made = Copy({}, [], {})
    files = made.files
    entries = 0
    for file, tree in trees.items():
        before = len(made.sites)
        known = _known_kernels(tree, kernels)
        constants = module_constants(_module(file)) if kernels[_module(file)] else {}
        change = Rewrite(file, known, constants, operators, made)
        tree = change.visit(tree)
        if change.touched:
            _import(tree, _FAULT_MODULE, ["FAULT", *sorted(change.used)])
        entries += sum(constants[site.text].size for site in made.sites[before:] if site.primitive == ENTRY)
        files[file] = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    files[_FAULT_MODULE.replace(".", "/") + ".py"] = _faulty_kernels(root, len(made.sites) + entries)
    # Without forced inlining, and its many switches, the compiler is done in a fraction of the time. What
    # stands for primitives here is outside the kernel subset, and never exported.
    # What errs may leave an array, so that bounds are checked.
    jit = "fixedpoint/_jit.py"
    files[jit] = files[jit].replace("'forceinline': True", "'forceinline': False")
    if operators:
        files[jit] = files[jit].replace("'boundscheck': False", "'boundscheck': True")
    files[jit] = files[jit].replace("_CHECK_SUBSET = True", "_CHECK_SUBSET = False")
    return made


def module_constants(module: str) -> dict[str, Any]:
    """Integers and arrays of integers that a module has, by name; none where it cannot be imported."""
    try:
        found = vars(importlib.import_module(module))
    except ImportError:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, (int, np.integer, np.ndarray))}


def _faulty_kernels(root: Path, columns: int) -> str:
    """The faulty primitives as kernels, a `site_X` for each `faulty_X`, and FAULT, the modes in force."""
    tree = ast.parse((root / _PRIMITIVES_FILE).read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in functions:
        if node.name.startswith("faulty_"):
            arguments = ", ".join(argument.arg for argument in node.args.args[:-1])
            site = _SITE.format(name=node.name.removeprefix("faulty_"), arguments=arguments)
            tree.body += ast.parse(site).body
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            statement.decorator_list.append(ast.Name("kernel", ast.Load()))
    _import(tree, "fixedpoint._jit", ["kernel"])
    tree.body.append(ast.parse(f"FAULT = np.zeros((3, {columns}), np.int64)").body[0])
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _import(tree: ast.Module, module: str, names: list[str]) -> None:
    """Add an import after the docstring, which every file has."""
    tree.body.insert(1, ast.ImportFrom(module, [ast.alias(name) for name in names], 0))


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def write(made: Copy, base: Path, product: Product | None = None, root: Path = ROOT) -> Path:
    """Folder that holds the copy, written if there is none yet.

    Parameters
    ----------
    base : Path, folder for such folders;  product, root : of `rewrite`
    """
    files = made.files
    digest = hashlib.sha256()
    for file, text in sorted(files.items()):
        digest.update(file.encode() + b"\0" + text.encode() + b"\0")
    folder = base / f"suspects-{digest.hexdigest()[:16]}"
    if not folder.exists():
        base.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=base))
        for file, text in files.items():
            (beside / file).parent.mkdir(parents=True, exist_ok=True)
            (beside / file).write_text(text, "utf-8")
        for top, place in _roots(product, root).items():
            for data in (place / top).rglob("*.toml"):
                (beside / data.relative_to(place)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(data, beside / data.relative_to(place))
        try:
            os.rename(beside, folder)
        except OSError:
            shutil.rmtree(beside)  # another process was first
    return folder
