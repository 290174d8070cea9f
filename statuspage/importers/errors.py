"""Why nothing could be read from a source. The texts are for people and name the address or file."""


class SourceError(Exception):
    """What was asked for did not come."""


class NotThere(SourceError):
    """404 or 410."""


class Forbidden(SourceError):
    """401 or 403: the key is wrong, or may not do this."""


class Unreadable(SourceError):
    """There was an answer, but not what it should be."""
