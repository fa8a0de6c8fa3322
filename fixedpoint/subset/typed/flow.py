"""Statements of a kernel, followed along every path, loops until nothing new is learnt."""

import ast

from fixedpoint.subset.typed.conditions import Env
from fixedpoint.subset.typed.expressions import Expressions
from fixedpoint.subset.typed.values import LONGEST, NONE, UNKNOWN, Abstract, Scalar, Several, joined, widened

_WIDEN_AFTER = 2  # turns of a loop, after which ends that still move go to their limits
_TURNS = 40  # never reached: each turn moves an end to its limit, of few names


class Flow(Expressions):
    """One kernel with arguments of known types.

    Attributes
    ----------
    returned : join of what it returns; None before any return
    """

    returned: Abstract | None = None

    def run(self, arguments: tuple[Abstract, ...]) -> Abstract:
        """What the kernel returns."""
        self.leaving: list[list[Env]] = []  # by loop: what is known at its breaks
        self.going_on: list[list[Env]] = []  # and at its continues
        for parameter, argument in zip(self.tree.args.args, arguments, strict=True):
            self._set(parameter.arg, argument)
        if self._block(self.tree.body) and self.returned is None:
            return NONE
        return UNKNOWN if self.returned is None else self._stated("result", self.returned)

    def _set(self, name: str, value: Abstract) -> None:
        if isinstance(value, Scalar) and name in self.ranges:
            value = value.within(*self.ranges[name])
        self.env = self.env | {name: value}

    def _block(self, block: list[ast.stmt]) -> bool:
        """Whether its end may be reached."""
        return all(self._statement(statement) for statement in block)

    def _statement(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Assign([target], value):
                self._assign(target, self.value(value))
            case ast.AugAssign(target, op, value):
                self._assign(target, self.augmented(statement, target, op, value))
            case ast.Expr(value):
                self.value(value)
            case ast.Return(value):
                result = NONE if value is None else self.value(value)
                self.returned = result if self.returned is None else joined(self.returned, result)
                return False
            case ast.If():
                return self._if(statement)
            case ast.For():
                return self._for(statement)
            case ast.While():
                return self._loop(statement.test, statement.body)
            case ast.Break():
                self.leaving[-1].append(self.env)
                return False
            case ast.Continue():
                self.going_on[-1].append(self.env)
                return False
        return True

    def _assign(self, target: ast.expr, value: Abstract) -> None:
        match target:
            case ast.Name(name):
                self._set(name, value)
            case ast.Tuple(parts):
                several = value.values if isinstance(value, Several) else ()
                for i, part in enumerate(parts):
                    self._assign(part, several[i] if i < len(several) else UNKNOWN)
            case ast.Subscript():
                self.value(target)
                if value != UNKNOWN and not isinstance(value, Scalar):
                    self.refuse(
                        target, "a store of what is no number", "an integer is", "arrays hold integers"
                    )

    # --- branches ----------------------------------------------------------------------------

    def _if(self, statement: ast.If) -> bool:
        match statement.test:
            case ast.Compare(ast.Name(name), [ast.Is() | ast.IsNot() as op], [ast.Constant(None)]):
                here = self.env.get(name, UNKNOWN)
                chosen = statement.body if isinstance(op, ast.Is) == (here == NONE) else statement.orelse
                return self._block(chosen)
        self.value(statement.test)
        before, ends = self.env, []
        for block, truth in ((statement.body, True), (statement.orelse, False)):
            self.env = before
            self.env = self.refined(statement.test, truth)
            if self._block(block):
                ends.append(self.env)
        if ends:
            self.env = _met(ends)
        return bool(ends)

    # --- loops -------------------------------------------------------------------------------

    def _for(self, loop: ast.For) -> bool:
        bounds = [self.scalar(b, "used as a loop's bound") for b in getattr(loop.iter, "args", [])]
        if not bounds or not isinstance(loop.target, ast.Name):
            return True
        first = bounds[0] if len(bounds) > 1 else Scalar("int", 0, 0)
        end = bounds[min(len(bounds), 2) - 1]
        turn = Scalar("int", max(first.low, -LONGEST), max(min(end.high - 1, LONGEST), first.low))
        return self._loop(None, loop.body, (loop.target.id, turn))

    def _loop(
        self, test: ast.expr | None, body: list[ast.stmt], turn: tuple[str, Scalar] | None = None
    ) -> bool:
        """Until another turn teaches nothing new."""
        head = self.env
        self.leaving.append([])
        self.going_on.append([])
        for turns in range(_TURNS):
            self.env = head
            if test is not None:
                self.value(test)
                self.env = self.refined(test, True)
            if turn:
                self._set(*turn)
            ends = [self.env] if self._block(body) else []
            ends += self.going_on[-1]
            self.going_on[-1].clear()
            if not ends:
                break
            after = _met([head, *ends])
            if turns >= _WIDEN_AFTER:
                after = {name: widened(head.get(name, value), value) for name, value in after.items()}
            after = {n: self._stated(n, v) for n, v in after.items()}
            if after == head:
                break
            head = after
        self.env = head
        if test is not None:
            self.env = self.refined(test, False)
        self.env = _met([self.env, *self.leaving.pop()])
        self.going_on.pop()
        return True

    def _stated(self, name: str, value: Abstract) -> Abstract:
        return (
            value.within(*self.ranges[name]) if isinstance(value, Scalar) and name in self.ranges else value
        )


def _met(envs: list[Env]) -> Env:
    """What is known where paths meet; of a name that some did not set, what the others say."""
    met = envs[0]
    for env in envs[1:]:
        if env is not met:
            met = {
                n: joined(met[n], env[n]) if n in met and n in env else met.get(n, env.get(n, UNKNOWN))
                for n in met | env
            }
    return met
