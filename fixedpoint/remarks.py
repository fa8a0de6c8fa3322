"""What is to be said of a user's file beside the result: kept where it is seen, told by who may print."""

_remarks: list[str] = []


def remark(line: str) -> None:
    """Keep a line for `taken`; one that stands there already is not kept twice."""
    if line not in _remarks:
        _remarks.append(line)


def taken() -> tuple[str, ...]:
    """The lines since the last call, in order."""
    lines = tuple(_remarks)
    _remarks.clear()
    return lines
