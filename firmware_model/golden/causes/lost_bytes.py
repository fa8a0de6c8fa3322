"""A dump that goes on in another place of the model: bytes, values or lines lost on the way, or too many."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from firmware_model.case import Case, Node
from firmware_model.golden.causes.transport import LOST, TWICE, Transport
from firmware_model.golden.dumps.evidence import Evidence
from firmware_model.golden.dumps.slips import MOST_LAG_S

_MARK = 24  # bytes that are looked for
_DISTINCT = 6  # of them, different ones: fewer are anywhere
_MOST_BYTES = 1 << 18  # lost or too many in one place
_MOST_PLACES = 256
_LOOK_ON = 1 << 14  # bytes behind a difference in which a mark may begin


class _Place(NamedTuple):
    """at : byte of the dump;  lost : bytes of the model that are missing there, < 0 that are too many"""

    at: int
    lost: int


def suspects(evidence: Evidence, case: Case) -> Iterator[Transport]:
    """One at most: what was lost or came twice, where, and whether values are misaligned from there."""
    node = next(node for node in case.nodes if node.name == evidence.target)
    dump, model = _content(evidence.got[node.name], node), _content(evidence.expected[node.name], node)
    if dump is None or model is None:
        return
    places = _places(dump, model)
    width = node.fmt.dtype.itemsize * len(node.rows)
    alone = len(places) == 1 and places[0].lost % width == 0
    if not places or (alone and abs(places[0].lost) // width * node.step <= MOST_LAG_S * case.fs_hz):
        return  # one slip of whole steps is a delay from there on
    values, known = _rebuilt(dump, model, places)
    kind = LOST if sum(place.lost for place in places) > 0 else TWICE

    def predict(of: Node, _: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        if of.name != node.name:
            return None
        rows, item = len(node.rows), node.fmt.dtype.itemsize
        flat = np.frombuffer(values, node.fmt.dtype).reshape(-1, rows).T
        return flat, np.atleast_1d(np.frombuffer(known, np.bool_).reshape(-1, rows * item).all(axis=1))

    yield Transport(kind, _text(places, node, evidence.start), predict)


def _content(values: np.ndarray, node: Node) -> bytes | None:
    """Bytes of interleaved values; None where one has no place in the node's type."""
    limits = np.iinfo(node.fmt.dtype)
    if values.size == 0 or values.min() < limits.min or values.max() > limits.max:
        return None
    return np.ascontiguousarray(values.T).astype(node.fmt.dtype).tobytes()


def _places(dump: bytes, model: bytes) -> list[_Place]:
    """Where the dump goes on elsewhere in the model; none if that does not explain it to its end."""
    found: list[_Place] = []
    at, shift = 0, 0  # dump[at] stands against model[at + shift]
    while True:
        length = min(len(dump) - at, len(model) - at - shift)
        ours, theirs = np.frombuffer(dump, np.uint8), np.frombuffer(model, np.uint8)
        wrong = ours[at : at + length] != theirs[at + shift : at + shift + length]
        if not wrong.any():
            return found if length > _MARK or at + length >= len(dump) else []
        at += int(np.argmax(wrong))
        lost = _lost(dump, model, at, shift)
        if lost is None or len(found) >= _MOST_PLACES:
            return []
        found.append(_Place(at, lost))
        shift += lost
        at = max(at, at - lost)


def _lost(dump: bytes, model: bytes, at: int, shift: int) -> int | None:
    """Bytes of the model that are left out at a place of the dump, or, < 0, of the dump that are too many."""
    best: list[int] = []
    for content, other, start, far in ((dump, model, at, at + shift), (model, dump, at + shift, at)):
        ahead = range(start, start + _LOOK_ON, 2)
        mark = next((k for k in ahead if len(set(content[k : k + _MARK])) >= _DISTINCT), None)
        if mark is None:
            continue
        begin = far + mark - start
        found = other.find(content[mark : mark + _MARK], begin + 1, begin + _MOST_BYTES)
        if found >= 0:
            amount = found - begin
            best.append(amount if content is dump else -amount)
    return min(best, key=abs, default=None)


def _rebuilt(dump: bytes, model: bytes, places: list[_Place]) -> tuple[bytes, bytes]:
    """(the dump as the model has it, a byte for each of its bytes: whether the model says what it is)."""
    out, known = bytearray(), bytearray()
    source = 0
    for k, place in enumerate([*places, _Place(len(dump), 0)]):
        piece = model[source : source + place.at - len(out)]
        out += piece
        known += b"\1" * len(piece)
        source += len(piece)
        if k == len(places):
            break
        if place.lost > 0:
            source += place.lost
        else:
            out += dump[place.at : place.at - place.lost]
            known += bytes(-place.lost)
    spare = len(dump) - len(out)
    return bytes(out + dump[len(dump) - spare :]) if spare else bytes(out), bytes(known + bytes(spare))


def _text(places: list[_Place], node: Node, start: int) -> str:
    rows, item = len(node.rows), node.fmt.dtype.itemsize
    first, many = places[0], len(places)
    step = start // node.step + first.at // (item * rows)
    where = f"at sample {step * node.step}" + (f" and in {many - 1} more places" if many > 1 else "")
    total = sum(abs(place.lost) for place in places)
    unit = item * rows if all(place.lost % (item * rows) == 0 for place in places) else item
    what = "lost" if first.lost > 0 else "too many"
    if all(place.lost % unit == 0 for place in places):
        name = "step" if rows > 1 and unit > item else "value"
        amount = f"{total // unit} {name}{'s' if total // unit > 1 else ''}"
        tail = "" if unit > item or rows == 1 else ": rows are exchanged from there on"
        return f"{amount} {what} {where}{tail or '; of text, lines'}"
    byte = start // node.step * item * rows + first.at
    amount = f"{total} byte{'s' if total > 1 else ''}"
    return f"{amount} {what} {where}: values are misaligned from byte {byte} on"
