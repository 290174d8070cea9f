"""Read the state of a page once for all the paths of one publication.

A view reads what it shows and does not know of other views. One publication renders about 30 views, most of which read
the same components and incidents. Within `sharing()`, a function decorated with `shared` runs once for equal arguments
and returns the same object again; so its callers must not change that object. Outside, it runs each time.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from incidents import clock

P = ParamSpec("P")
T = TypeVar("T")

_reads: ContextVar[dict[Hashable, Any] | None] = ContextVar("shared_reads", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Share the results of `shared` functions within this thread until the block ends."""
    token = _reads.set({})
    try:
        yield
    finally:
        _reads.reset(token)


def is_sharing() -> bool:
    """Return whether a publication renders many paths, so that it pays to read more at once than one path needs."""
    return _reads.get() is not None


def shared(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function of hashable arguments. An exception is not kept."""

    @wraps(function)
    def read(*args: P.args, **kwargs: P.kwargs) -> T:
        reads = _reads.get()
        if reads is None:
            return function(*args, **kwargs)
        key = (function, args, tuple(sorted(kwargs.items())))
        if key not in reads:
            reads[key] = function(*args, **kwargs)
        result: T = reads[key]
        return result

    return read


@shared
def current_time() -> datetime:
    """Return the time; within `sharing()` the same for all, so that what depends on it is shared too."""
    return clock.now()
