"""Subscribers in Statuspage's words, and what programs do to them."""

from statuspage.api.people.changing import add, preferences_for, remove, without
from statuspage.api.people.counting import counted_by_mode, counts
from statuspage.api.people.finding import asked_again, listed, out, subscriber_of
from statuspage.api.people.words import narrowed, subscriber_out

__all__ = [
    "add",
    "asked_again",
    "counted_by_mode",
    "counts",
    "listed",
    "narrowed",
    "out",
    "preferences_for",
    "remove",
    "subscriber_of",
    "subscriber_out",
    "without",
]
