"""Errors of a source. The messages are for people and name the address or file."""


class SourceError(Exception):
    """The source, or a part of it, cannot be read."""


class NotFound(SourceError):
    """404 or 410."""


class Forbidden(SourceError):
    """401 or 403: the key is wrong or lacks permission."""


class Unreadable(SourceError):
    """The response is not in the expected format."""
