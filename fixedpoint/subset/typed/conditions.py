"""What a condition says of the ranges of the names that it compares."""

import ast

from fixedpoint.subset.typed.values import Abstract, Scalar

_NEGATED = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_SWAPPED = {
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
Env = dict[str, Abstract]


class Conditions:
    """Conditions of one kernel.

    Attributes
    ----------
    env : what is known of its locals at this point
    found : line and words of what was refused
    """

    env: Env
    found: dict[tuple[int, str], None]

    def value(self, node: ast.expr) -> Abstract:
        """What is known of an expression."""
        raise NotImplementedError

    def refined(self, test: ast.expr, truth: bool) -> Env:
        """What is known of the locals where a condition holds, or does not."""
        match test:
            case ast.BoolOp(op, parts) if isinstance(op, ast.And) == truth:
                before = self.env
                for part in parts:
                    self.env = self.refined(part, truth)
                known, self.env = self.env, before
                return known
            case ast.UnaryOp(ast.Not(), operand):
                return self.refined(operand, not truth)
            case ast.Compare(left, [op], [right]) if type(op) in _NEGATED:
                kind = type(op) if truth else _NEGATED[type(op)]
                known = self._bounded(self.env, left, kind, right)
                return self._bounded(known, right, _SWAPPED[kind], left)
        return self.env

    def _bounded(self, env: Env, name: ast.expr, op: type, other: ast.expr) -> Env:
        """With a name's range cut by ``name op other``."""
        if not isinstance(name, ast.Name) or not isinstance(env.get(name.id), Scalar):
            return env
        found, self.found = self.found, {}  # the test's own value reports
        bound = self.value(other)
        self.found = found
        x = env[name.id]
        if not isinstance(bound, Scalar) or not isinstance(x, Scalar):
            return env
        low, high = x.low, x.high
        if op in (ast.Lt, ast.LtE):
            high = min(high, bound.high - (op is ast.Lt))
        elif op in (ast.Gt, ast.GtE):
            low = max(low, bound.low + (op is ast.Gt))
        elif op is ast.Eq:
            low, high = max(low, bound.low), min(high, bound.high)
        elif bound.low == bound.high:
            low, high = low + (low == bound.low), high - (high == bound.low)
        return env | {name.id: Scalar(x.kind, low, high)} if low <= high else env
