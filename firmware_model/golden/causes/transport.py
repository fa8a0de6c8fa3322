"""Suspects between the memory and the file: right values in another order, twice, lost, or behind others.

Each says where in the model every value of the dump comes from. What stands between is looked at too: a gap
that was not compared is not called the model's.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Node
from firmware_model.golden.causes.misreading import telling
from firmware_model.golden.dumps.dump_values import Values
from firmware_model.golden.dumps.evidence import Evidence

WORDS, SLOTS, RING, FRONT = "word order", "slots", "ring", "values in front"
LOST, TWICE = "values lost", "values twice"
KINDS = (WORDS, SLOTS, RING, FRONT, LOST, TWICE)
SHIFTED = (RING, FRONT, LOST, TWICE)
_SLOTS = (2, 3, 4, 6, 8, 16)  # of a frame of I2S or TDM
_MOST_PERIOD = 1024  # steps, of which one is lost or twice
_PROBES, _FIRST_PROBES = 48, 4  # values by which a period is tried
_MARK = 64  # steps of a stretch that is looked for
_SHOWN = 3  # values in a text


class Transport(NamedTuple):
    """What a dump would hold. As `data_suspects.Guess`."""

    kind: str
    text: str
    predict: Callable[[Node, np.ndarray], tuple[np.ndarray, np.ndarray] | None]


def suspects(evidence: Evidence, case: Case, nodes: dict[str, Values]) -> Iterator[Transport]:
    """All of them, the simplest first.

    nodes : the dump, which in several slots is longer than the evidence
    """
    node = next(node for node in case.nodes if node.name == evidence.target)
    yield from _words(evidence, node)
    if evidence.start == 0:
        yield from _slots(evidence, node, nodes[node.name])
        yield from _rotated_or_behind(evidence, case, node)
        yield from _periodic(evidence, node)


def stands_for(evidence: Evidence, case: Case, lag: int) -> bool:
    """Whether a lag is said here: a ring, or values in front, and not a delay.

    lag : samples, > 0 late
    """
    node = next(node for node in case.nodes if node.name == evidence.target)
    if evidence.start or abs(lag) in (1, case.block) or lag % node.step:
        return False
    found = _shift_of(evidence, node)
    return found is not None and lag // node.step in (found[0], sum(found))


# Words


def _words(evidence: Evidence, node: Node) -> Iterator[Transport]:
    """Values swapped in pairs and fours, and halves of values."""
    of_bits = node.fmt.dtype.itemsize * 8

    def permuted(group: int, swap: bool) -> Callable[[Node, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        def predict(_: Node, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            flat = np.ascontiguousarray(expected.T).ravel().astype(node.fmt.dtype)
            flat = flat.byteswap() if swap else flat
            whole = len(flat) // group * group
            out = flat.astype(np.int64)
            out[:whole] = flat[:whole].reshape(-1, group)[:, ::-1].ravel()
            known = np.ones(len(flat), bool)
            known[whole:] = False
            return _rows(out, known, len(expected))

        return predict

    for bits in (32, 64):
        group = bits // of_bits
        if group > 1 and len(node.rows) != group:
            what = "pairs" if group == 2 else f"groups of {group}"
            text = f"{of_bits}-bit values swapped in {what}: {bits}-bit words in the other order"
            yield Transport(WORDS, text, permuted(group, False))
        if group > 1:
            yield Transport(WORDS, f"bytes of each {bits}-bit word in the other order", permuted(group, True))
    if of_bits == 32:
        for text, change in (
            ("16-bit halves of each value swapped", _halves_swapped),
            ("bytes of each 16-bit half in the other order", _halves_byteswapped),
        ):
            yield Transport(WORDS, text, _of_values(change))


def _halves_swapped(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, "<i4").view("<i2").reshape(-1, 2)[:, ::-1].copy().view("<i4").ravel()


def _halves_byteswapped(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, "<i4").view("<i2").byteswap().view("<i4").ravel()


def _of_values(
    change: Callable[[np.ndarray], np.ndarray],
) -> Callable[[Node, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    def predict(node: Node, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        changed = change(np.ascontiguousarray(expected.T).ravel()).reshape(expected.T.shape).T
        return changed, np.ones(expected.shape[1], bool)

    return predict


def _rows(flat: np.ndarray, known: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows, steps) of interleaved values, and the steps that are known in all rows."""
    return flat.reshape(-1, rows).T, np.atleast_1d(known.reshape(-1, rows).all(axis=1))


# Slots


def _slots(evidence: Evidence, node: Node, values: Values) -> Iterator[Transport]:
    """The values in one slot of several of a frame, or in all; the rows alike, or one dead."""
    got, model = evidence.got[node.name], evidence.expected[node.name]
    rows = len(node.rows)
    flat = np.ascontiguousarray(got.T).ravel()
    for slots in _SLOTS:
        if slots <= rows or (rows > 1 and slots % rows):
            continue
        frames = flat[: len(flat) // slots * slots].reshape(-1, slots)
        source = model[:, : len(frames)].T
        if not len(frames) or len(source) < len(frames) or not telling(source.T):
            continue
        held = [p for p in range(slots - rows + 1) if np.array_equal(frames[:, p : p + rows], source)]
        if not held:
            continue
        taken = np.zeros(slots, bool)
        for p in held:
            taken[p : p + rows] = True
        steps = model.shape[1] * slots // rows
        beyond = np.ascontiguousarray(values.read(0, steps).T).ravel()
        whole = beyond[: len(beyond) // slots * slots].reshape(-1, slots)
        source_of_all = model[:, : len(whole)].T
        found = _in_slots(frames, source, taken, held, rows, slots)
        alike = all(np.array_equal(whole[:, p : p + rows], source_of_all) for p in held)
        said = f"all {len(whole)} frames" if alike else f"the first {len(frames)} frames alone"
        yield found._replace(text=f"{found.text}; {said}", predict=_target(node, found.predict))
        break  # fewer slots of a frame say the same more simply
    for found in _dead_rows(got, model[:, : got.shape[1]], node) if rows > 1 else ():
        yield found._replace(predict=_target(node, found.predict))


def _in_slots(
    frames: np.ndarray, source: np.ndarray, taken: np.ndarray, held: list[int], rows: int, slots: int
) -> Transport:
    others = frames[:, ~taken]
    constant = others.size > 0 and bool((others == others.flat[0]).all())
    zeros = "zeros" if constant and not others.any() else ""
    if taken.all():
        again = "both slots of a frame: mono in stereo" if slots == 2 else f"all {slots} slots of a frame"
        text = f"each value in {again if rows == 1 else f'{slots // rows} places in turn'}"
    else:
        where = ", ".join(str(p + 1) for p in held)
        rest = zeros or (f"{others.flat[0]} throughout" if constant else f"other values, {_some(others)}")
        text = f"the values in slot {where} of {slots} of a frame; the others hold {rest}"

    def predict(_: Node, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out = np.array(frames, np.int64)
        for p in held:
            out[:, p : p + rows] = source
        known = np.broadcast_to(taken | (zeros != ""), out.shape)
        steps = expected.shape[1]
        flat, sure = out.ravel(), known.ravel()
        spare = steps * rows - len(flat)
        flat, sure = np.pad(flat, (0, spare)), np.pad(sure, (0, spare))
        return _rows(flat, sure, rows)

    return Transport(SLOTS, text, predict)


def _dead_rows(got: np.ndarray, model: np.ndarray, node: Node) -> Iterator[Transport]:
    """One row right, the others constant or the same as it."""
    right = [r for r in range(len(got)) if np.array_equal(got[r], model[r]) and telling(got[r : r + 1])]
    wrong = [r for r in range(len(got)) if r not in right]
    if not right or not wrong:
        return
    names = ", ".join(node.rows[r] for r in wrong)
    for r in right:
        if all(np.array_equal(got[w], got[r]) for w in wrong):
            same = np.tile(model[r], (len(got), 1))
            yield Transport(SLOTS, f"{names}: holds {node.rows[r]} once more", _values(got, same))
            return
    if all((got[w] == got[w, 0]).all() for w in wrong):
        dead = model.astype(np.int64)
        for w in wrong:
            dead[w] = got[w, 0]
        holds = ", ".join(dict.fromkeys(str(int(got[w, 0])) for w in wrong))
        yield Transport(SLOTS, f"{names}: nothing but {holds}: the slot is not filled", _values(got, dead))


def _values(got: np.ndarray, values: np.ndarray) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    return lambda *_: (values, np.ones(got.shape[1], bool))


# Rings, and values in front


def _shift_of(evidence: Evidence, node: Node) -> tuple[int, int] | None:
    """(steps that stand before the model's first, steps of a ring or 0); None where there is no such shift.

    Values in front that are zeros are a delay, and no matter of this module.
    """
    got, model = evidence.got[node.name], evidence.expected[node.name]
    steps = got.shape[1]
    if steps < 2 * _MARK:
        return None
    for mark in _lively(got, model):
        for place in _places(model, got[:, mark : mark + _MARK]):
            lag = mark - place
            if (
                evidence.whole
                and steps == model.shape[1]
                and np.array_equal(np.roll(model, lag, axis=1), got)
            ):
                return (lag, -steps) if lag > 0 else (lag, steps)
            behind = got[:, max(lag, 0) :]
            if 0 < lag < steps and np.array_equal(model[:, : behind.shape[1]], behind) and got[:, :lag].any():
                return lag, 0
    return None


def _rotated_or_behind(evidence: Evidence, case: Case, node: Node) -> Iterator[Transport]:
    found = _shift_of(evidence, node)
    if found is None:
        return
    lag, ring = found
    got, model = evidence.got[node.name], evidence.expected[node.name]
    if ring:
        if min(abs(lag), abs(lag + ring)) * node.step in (1, case.block):
            return
        first = (-lag) % got.shape[1]
        text = (
            f"rotated: begins with the model's sample {first * node.step}, whose sample 0 stands at sample "
            f"{(got.shape[1] - first) * node.step}"
        )
        rolled, known = np.roll(model, lag, axis=1), np.ones(got.shape[1], bool)
        back = lag if lag > 0 else lag + got.shape[1]
        known[slice(0, back) if 2 * back <= got.shape[1] else slice(back, None)] = False  # the shorter part
        yield Transport(RING, text, _target(node, lambda *_: (rolled, known)))
        return
    front = got[:, :lag]
    constant = bool((front == front.flat[0]).all())
    content = front.T.astype(node.fmt.dtype).tobytes()
    if content.startswith(b"RIFF"):
        holds = "a WAV header"
    else:
        holds = f"hold {front.flat[0]} throughout" if constant else f"hold {_some(front.T)}"
    size = lag * len(node.rows)
    text = f"{size} values ({len(content)} bytes) in front of the first: {holds}"
    out = np.array(got, np.int64)
    out[:, lag:] = model[:, : got.shape[1] - lag]
    known = np.ones(got.shape[1], bool)
    known[:lag] = False
    yield Transport(FRONT, text, _target(node, lambda *_: (out, known)))


def _lively(got: np.ndarray, model: np.ndarray) -> list[int]:
    """Where the stretches begin in which the dump changes most: of its beginning, middle and end."""
    change = np.abs(np.diff(got.astype(np.float64), axis=1)).sum(axis=0)
    sums = np.concatenate([[0.0], np.cumsum(change)])
    last = got.shape[1] - _MARK
    starts = np.arange(0, last + 1)
    energy = sums[starts + _MARK - 1] - sums[starts]
    thirds = np.array_split(starts, 3)
    return [int(part[np.argmax(energy[part])]) for part in thirds if len(part)]


def _places(model: np.ndarray, stretch: np.ndarray) -> list[int]:
    """Steps of the model at which it holds a stretch; a few, as a steady signal holds it anywhere."""
    starts = np.arange(model.shape[1] - stretch.shape[1] + 1)
    for k in range(stretch.shape[1]):
        starts = starts[(model[:, starts + k] == stretch[:, k, None]).all(axis=0)]
        if not len(starts):
            break
    return [int(start) for start in starts[:8]]


# Values lost or twice, regularly


def _periodic(evidence: Evidence, node: Node) -> Iterator[Transport]:
    """One of each so many steps is lost, or twice; or only one of so many is there."""
    got, model = evidence.got[node.name], evidence.expected[node.name]
    steps = got.shape[1]
    change = np.abs(np.diff(got.astype(np.float64), axis=1)).sum(axis=0)
    lively = np.flatnonzero(change > 0)
    if len(lively) < _PROBES:
        return
    probes = lively[np.linspace(0, len(lively) - 1, _PROBES).astype(int)]
    unit = "value" if len(node.rows) == 1 else "step"
    for period in range(2, min(_MOST_PERIOD, steps // 2) + 1):
        for kind, text, sources in (
            (LOST, f"every {_th(period)} {unit} is lost", lambda i, c, n=period: i + (i + c) // (n - 1)),
            (
                TWICE,
                f"every {_th(period)} {unit} is twice",
                lambda i, c, n=period: i - (i + c) // (n + 1),
            ),
            (LOST, f"only every {_th(period)} {unit} is there", lambda i, c, n=period: n * i + c),
        ):
            phases = np.arange(period)
            for part in (probes[:_FIRST_PROBES], probes):  # few are enough to rule most out
                source = sources(part[None, :], phases[:, None])
                inside = (source >= 0) & (source < model.shape[1])
                held = (model[:, np.clip(source, 0, model.shape[1] - 1)] == got[:, None, part]).all(axis=0)
                phases = phases[(held | ~inside).all(axis=1) & (4 * inside.sum(axis=1) > len(part))]
            for phase in phases[:4]:
                index = sources(np.arange(steps), int(phase))
                known = (index >= 0) & (index < model.shape[1])
                values = model[:, np.clip(index, 0, model.shape[1] - 1)]
                if np.array_equal(values[:, known], got[:, known]) and telling(got[:, known]):
                    yield Transport(kind, text, _target(node, lambda *_, v=values, k=known: (v, k)))
                    return


def _th(n: int) -> str:
    """ "2nd", "3rd", "48th"."""
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _target(
    target: Node, predict: Callable[..., tuple[np.ndarray, np.ndarray] | None]
) -> Callable[[Node, np.ndarray], tuple[np.ndarray, np.ndarray] | None]:
    """Of one node alone: the others may have come another way."""
    return lambda node, expected: predict(node, expected) if node.name == target.name else None


def _some(values: np.ndarray) -> str:
    shown = ", ".join(str(int(value)) for value in values.flat[:_SHOWN])
    return shown + (", ..." if values.size > _SHOWN else "")
