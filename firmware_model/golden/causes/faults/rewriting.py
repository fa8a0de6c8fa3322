"""What of a kernel can be made to err, and the kernel with all of it in the hands of `primitives`."""

import ast
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

# Calls that are sites. The last two are the FFT's: they round what fits no word, or begin with half an LSB.
PRIMITIVES = (
    "rnd_shift",
    "trn_shift",
    "sat16",
    "sat32",
    "clip",
    "trn_shift32",
    "rnd_shift32",
    "sum_of_products",
    "mean",
)
SUM, PRODUCT, SHIFT, LESS, CONSTANT, ENTRY = "sum", "product", "shift_right", "less", "constant", "entry"
_LEAST_CONSTANT = 3  # smaller ones are counters, signs and factors of the structure
_LEAST_TERMS = 3  # of a sum without a product that is no accumulation
_FAULT = "fault"
# Operator -> whether equal operands satisfy it, and whether they stand the other way round in `site_less`.
_ORDERS = {ast.Lt: (False, False), ast.LtE: (True, False), ast.Gt: (False, True), ast.GtE: (True, True)}


class Site(NamedTuple):
    """A call or an operator in a kernel that can be made to err.

    file : path from the root;  kernel : function that holds it;  line : in the original
    primitive : one of PRIMITIVES, or SUM, PRODUCT, SHIFT, LESS, CONSTANT, ENTRY
    text : of the original, where `primitive` does not say it; of an ENTRY, the table's name
    shift : of a CONSTANT, whether it says by how many bits something is shifted
    """

    file: str
    kernel: str
    line: int
    primitive: str
    text: str = ""
    shift: bool = False


class Made(Protocol):
    """What rewriting fills, see `sites.Copy`."""

    @property
    def sites(self) -> list[Site]: ...

    @property
    def calls(self) -> dict[tuple[str, str], set[str]]: ...


class Rewrite(ast.NodeTransformer):
    """Give the kernels of a module, and all calls of kernels, the argument `fault`; sites a column of it.

    file : of the module;  known : names of kernels in it;  constants : integers and arrays in it, by name
    operators : whether more than PRIMITIVES are sites;  made : its sites and calls are filled
    used : names of the functions that stand for sites
    """

    def __init__(
        self,
        file: str,
        known: set[str],
        constants: Mapping[str, Any],
        operators: bool,
        made: Made,
    ) -> None:
        self.file, self.known, self.constants, self.operators = file, known, constants, operators
        self.sites, self.calls = made.sites, made.calls
        self.used: set[str] = set()
        self.kernel = ""
        self.touched = False
        self._plain = 0  # depth within indices and ranges, where nothing may err: memory would be overrun
        self._loops = 0
        self._in_sum = self._shifting = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if not is_kernel(node):
            self.generic_visit(node)
            return node
        node.args.args.append(ast.arg(_FAULT))
        self.kernel = node.name
        self.calls[self.file, self.kernel] = set()
        node.body = [self.visit(statement) for statement in node.body]
        self.kernel = ""
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if not isinstance(node.func, ast.Name) or node.func.id not in self.known:
            self._visit_arguments(node)
            return node
        name = node.func.id
        self.touched = True
        if self.kernel and name not in PRIMITIVES:
            self.calls[self.file, self.kernel].add(name)
        if not self.kernel or name not in PRIMITIVES:
            self._visit_arguments(node)
            node.args.append(ast.Name(_FAULT if self.kernel else "FAULT", ast.Load()))
            return node
        column = self._column(node, name)
        self._visit_arguments(node)
        return self._site(name, node.args, column)

    def _visit_arguments(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        plain = name == "range"
        self._plain += plain
        shift = "sh" in name and len(node.args) > 1
        within, self._in_sum = self._in_sum, False
        for k, argument in enumerate(node.args):
            self._shifting = shift and k == len(node.args) - 1
            node.args[k] = self.visit(argument)
            self._shifting = False
        self._in_sum = within
        self._plain -= plain

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self._plain += 1
        self.generic_visit(node)
        self._plain -= 1
        if not self._free or not isinstance(node.ctx, ast.Load) or not self._is_table(node.value):
            return node
        assert isinstance(node.value, ast.Name)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        place = ast.unparse(parts[0])
        for depth, part in enumerate(parts[1:], 1):
            place = f"({place}) * {node.value.id}.shape[{depth}] + {ast.unparse(part)}"
        column = self._column(node, ENTRY, node.value.id)
        return self._site(ENTRY, [node, ast.parse(place, mode="eval").body], column)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        text = ast.unparse(node)
        self._plain += isinstance(node.target, ast.Subscript)
        node.target = self.visit(node.target)
        self._plain -= isinstance(node.target, ast.Subscript)
        adds = isinstance(node.op, (ast.Add, ast.Sub))
        if not self._free or not adds or isinstance(node.value, ast.Constant) or _is_constant(node.value):
            node.value = self.visit(node.value)
            return node
        column = self._column(node, SUM, text)
        self._in_sum = True
        value = self.visit(node.value)
        self._in_sum = False
        before = ast.parse(ast.unparse(node.target), mode="eval").body
        total = ast.BinOp(before, node.op, value)
        return ast.copy_location(ast.Assign([node.target], self._site(SUM, [total], column)), node)

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        self._target = ast.unparse(node.targets[0])
        node.targets = [self.visit(target) for target in node.targets]
        node.value = self.visit(node.value)
        self._target = ""
        return node

    _target = ""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if not self._free or _is_number(node):
            return node if _is_number(node) else self._deeper(node)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            if self._in_sum or not self._accumulates(node):
                return self._deeper(node)
            column = self._column(node, SUM, ast.unparse(node))
            self._in_sum = True
            self._deeper(node)
            self._in_sum = False
            return self._site(SUM, [node], column)
        within, self._in_sum = self._in_sum, False
        found = self._product_or_shift(node)
        self._in_sum = within
        return found

    def _product_or_shift(self, node: ast.BinOp) -> ast.expr:
        if isinstance(node.op, ast.RShift):
            column = self._column(node, SHIFT, ast.unparse(node))
            return self._site(SHIFT, [self.visit(node.left), self._count(node.right)], column)
        if isinstance(node.op, ast.LShift):
            node.left, node.right = self.visit(node.left), self._count(node.right)
            return node
        numbers = _is_number(node.left) or _is_number(node.right)
        if not isinstance(node.op, ast.Mult) or numbers:
            return self._deeper(node)
        column = self._column(node, PRODUCT, ast.unparse(node))
        self._deeper(node)
        return self._site(PRODUCT, [node], column)

    def _count(self, node: ast.expr) -> ast.expr:
        self._shifting = True
        node = self.visit(node)
        self._shifting = False
        return node

    def visit_While(self, node: ast.While) -> ast.While:
        """The test stays, which bounds memory, and the constants, with which the loop may never end."""
        self._loops += 1
        node.body = [self.visit(statement) for statement in node.body]
        self._loops -= 1
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        order = _ORDERS.get(type(node.ops[0]))
        if not self._free or len(node.ops) != 1 or order is None:
            return self._deeper(node)
        column = self._column(node, LESS, ast.unparse(node))
        equal, swapped = order
        sides = [self.visit(node.left), self.visit(node.comparators[0])]
        return self._site(LESS, [*(sides[::-1] if swapped else sides), ast.Constant(equal)], column)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        is_scalar = _is_constant(node) and not self._is_table(node)
        if not self._free or self._loops or not is_scalar or not isinstance(node.ctx, ast.Load):
            return node
        return self._site(CONSTANT, [node], self._column(node, CONSTANT, node.id))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not self._free or self._loops or type(node.value) is not int or node.value < _LEAST_CONSTANT:
            return node
        return self._site(CONSTANT, [node], self._column(node, CONSTANT, str(node.value)))

    def _site(self, name: str, arguments: list[ast.expr], column: int) -> ast.Call:
        self.used.add(f"site_{name}")
        place = [ast.Name(_FAULT, ast.Load()), ast.Constant(column)]
        return ast.Call(ast.Name(f"site_{name}", ast.Load()), [*arguments, *place], [])

    def _is_table(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and isinstance(self.constants.get(node.id), np.ndarray)

    @property
    def _free(self) -> bool:
        """Whether an operator here may err."""
        return self.operators and bool(self.kernel) and self._plain == 0

    def _deeper(self, node: ast.expr) -> ast.expr:
        self.generic_visit(node)
        return node

    def _column(self, node: ast.expr | ast.stmt, primitive: str, text: str = "") -> int:
        self.touched = True
        self.sites.append(Site(self.file, self.kernel, node.lineno, primitive, text, self._shifting))
        return len(self.sites) - 1

    def _accumulates(self, node: ast.BinOp) -> bool:
        terms = list(_terms(node))
        if any(isinstance(term, ast.BinOp) and isinstance(term.op, ast.Mult) for term in terms):
            return not any(_is_number(term) for term in terms) or len(terms) > 2
        names = {ast.unparse(term) for term in terms}
        return len(terms) >= _LEAST_TERMS or (self._target in names and not any(map(_is_number, terms)))


def is_kernel(node: ast.AST) -> bool:
    """Whether it is a function with the decorator."""
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(decorator, ast.Name) and decorator.id == "kernel" for decorator in node.decorator_list
    )


def _terms(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        return [*_terms(node.left), *_terms(node.right)]
    return [node]


def _is_constant(node: ast.expr) -> bool:
    """Whether it is a name in the form of a module's constant."""
    return isinstance(node, ast.Name) and node.id.isupper() and len(node.id.strip("_")) > 1


def _is_number(node: ast.expr) -> bool:
    """Whether it is made of literals alone."""
    return all(
        isinstance(part, (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop))
        for part in ast.walk(node)
    )
