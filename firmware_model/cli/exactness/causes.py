"""The causes that a comparison found, in words and as JSON."""

from collections.abc import Sequence
from typing import Any

from firmware_model.golden.causes.ranking import Cause
from firmware_model.golden.dumps.slips import MOST_LAG_S

_MOST_CAUSES = 3
_MOST_CHARACTERS = 300  # of a list in one line; the rest is counted


def facts_of(cause: Cause) -> dict[str, Any]:
    """What --json prints of a cause."""
    return {
        "kind": cause.kind,
        "text": cause.text,
        "nodes": list(cause.nodes),
        "complete": cause.complete,
        "origin": cause.origin._asdict() if cause.origin else None,
        "explained": cause.explained,
        "of": cause.of,
        "spoiled": cause.spoiled,
        "stretch": list(cause.stretch),
        "gap": cause.gap,
        "alternatives": list(cause.alternatives),
        "told_apart_by": cause.told_apart_by,
    }


def likely(causes: Sequence[Cause]) -> str | None:
    """The cause in one line, with what it leaves open; None where none explains all that can be explained."""
    stated = [cause for cause in causes if cause.stated]
    if not stated:
        return None
    first = stated[0]
    left = [first.gap] if not first.complete else []
    if first.alternatives:
        apart = f", told apart by {first.told_apart_by}" if first.told_apart_by else ""
        n = len(first.alternatives)
        left.append(f"{n} more {'suspect gives' if n == 1 else 'suspects give'} the same{apart}")
    return f"{first.kind}: {first.text}" + (f" ({'; '.join(left)})" if left else "")


def in_words(causes: Sequence[Cause], window: tuple[int, int], origin_in_words: Any) -> str:
    """What the command prints.

    Parameters
    ----------
    window : first and last input sample in which causes were tried
    origin_in_words : of `Cause.origin`, where a suspect's run leaves the model
    """
    where = f"input samples {window[0]} to {window[1]}"
    stated = [cause for cause in causes if cause.stated]
    if stated:
        return "\n".join(_stated(stated[0], where, origin_in_words))
    lines = [
        f"likely cause: none of the usual suspects gives these bits (tried on {where}; "
        f"delays up to {MOST_LAG_S} s either way)"
    ]
    for cause in causes[:_MOST_CAUSES]:
        first, last = cause.stretch
        lines.append(f"  not explained by {cut(cause.kind + ': ' + cause.text)},")
        lines.append(f"    which explains {_share(cause)}, all of samples {first} to {last}")
        lines += [f"    {cut(cause.gap)}"] if cause.gap else []
    if len(causes) > _MOST_CAUSES:
        lines.append(f"  and {len(causes) - _MOST_CAUSES} more that explain less")
    return "\n".join(lines)


def _stated(cause: Cause, where: str, origin_in_words: Any) -> list[str]:
    first, last = cause.stretch
    lines = [f"likely cause: {cut(cause.kind + ': ' + cause.text)}"]
    if cause.complete:
        lines.append(f"  gives the dump bit for bit, {where}: {_share(cause)}")
    else:
        lines.append(f"  explains {_share(cause)}, all of samples {first} to {last}")
    if cause.gap:
        lines.append(f"  {cut(cause.gap)}")
    if cause.origin is not None:
        lines.append(f"  {origin_in_words(cause.origin)}")
    if cause.alternatives:
        lines.append(f"  fits as well: {listed(cause.alternatives)}")
        apart = cause.told_apart_by or "nothing that was tried; they may be one and the same"
        lines.append(f"  told apart by: {apart}")
    return lines


def _share(cause: Cause) -> str:
    if cause.complete:
        return f"all {cause.of:,} differing values" if cause.of > 1 else "the one differing value"
    text = f"{cause.explained:,} of {cause.of:,} differing values"
    return text + (f" and changes {cause.spoiled:,} that agree" if cause.spoiled else "")


def cut(text: str, most: int = _MOST_CHARACTERS) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 4].rstrip()} ..."


def listed(texts: Sequence[str], most: int = _MOST_CHARACTERS) -> str:
    """As many of them as fit, and how many more there are."""
    shown: list[str] = []
    for text in texts:
        if shown and sum(len(one) + 2 for one in (*shown, text)) > most:
            return f"{'; '.join(shown)}; and {len(texts) - len(shown)} more"
        shown.append(cut(text, most))
    return "; ".join(shown)
