"""What is found outside the kernel subset: one line each, with its place and its reason."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """Something outside the subset.

    file : relative to the current folder where it is below it;  line : counted from 1
    kernel : name of the function
    says : "found X; Y accepted: why"
    """

    file: str
    line: int
    kernel: str
    says: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: kernel {self.kernel}: {self.says}"


def said(found: str, accepted: str, why: str) -> str:
    """ "found X; Y accepted: why"."""
    return f"found {found}; {accepted} accepted: {why}"


def finding(python: Callable[..., Any], line: int, says: str) -> Finding:
    """A finding in a function."""
    code = python.__code__
    return Finding(shown(code.co_filename), line, code.co_name, says)


def shown(path: str) -> str:
    """A path as messages show it."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here).replace(os.sep, "/")
