"""Settings of the running process."""

from __future__ import annotations

import os

from tanada import _core
from tanada.errors import ModelError


def set_threads(n: int | None) -> None:
    """Limit the number of threads of the compiled core.

    Parameters
    ----------
    n : int or None
        Threads to use, 1 or more; None means one per processor. The environment variable ``TANADA_NUM_THREADS``
        sets the limit at import.

    Raises
    ------
    ModelError
        If `n` is not a positive whole number.

    Examples
    --------
    >>> import tanada as tn
    >>> tn.set_threads(1)
    >>> tn.set_threads(None)
    """
    if n is None:
        _core.set_threads(0)
        return
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ModelError(f"set_threads: n = {n!r}; it takes a whole number of 1 or more, or None for all processors.")
    _core.set_threads(n)


def threads_from_environment() -> None:
    """Obey TANADA_NUM_THREADS; a value that is not a positive whole number is an error that names it."""
    text = os.environ.get("TANADA_NUM_THREADS", "").strip()
    if not text:
        return
    if not text.isdigit() or int(text) < 1:
        raise ModelError(f"TANADA_NUM_THREADS = {text!r}; it takes a whole number of 1 or more.")
    _core.set_threads(int(text))


threads_from_environment()
