"""A counter on the terminal for long repetitions; silent where the error stream is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def counted(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    """The items, with "label 120/1000" on the error stream from the first second on."""
    stream = sys.stderr
    show = stream is not None and stream.isatty()
    started = last = time.monotonic()
    shown = False
    for i, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if show and now - started > 1 and now - last > 0.2:
            stream.write(f"\r{label} {i}/{total}")
            stream.flush()
            last, shown = now, True
    if shown:
        stream.write("\r" + " " * (len(label) + 2 * len(str(total)) + 2) + "\r")
        stream.flush()
