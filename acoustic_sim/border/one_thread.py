"""Linear algebra on one thread: on more, sums are added up in another order, and the last bits differ."""

from contextlib import AbstractContextManager
from functools import cache

import scipy.linalg  # noqa: F401 - loads SciPy's own BLAS, so that it is found
from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """Within it, NumPy and SciPy compute the same bits on a machine however many of its cores are free."""
    return _libraries().limit(limits=1, user_api="blas")


@cache
def _libraries() -> ThreadpoolController:
    """Looking the libraries up takes 10 ms; once is enough."""
    return ThreadpoolController()
