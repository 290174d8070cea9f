"""Tell failures of the database server from errors of the program, and explain them in plain words."""

from dataclasses import dataclass

from django.db import Error, InterfaceError, InternalError, OperationalError

SOON = "Try again in a few seconds."
NOT_SAVED = "Nothing was saved."
UNKNOWN = "Check whether your change was saved."


@dataclass(frozen=True)
class DatabaseFailure:
    """Why a request could not use the database.

    `readable`: whether queries still work. `retry_after` is in seconds.
    """

    problem: str
    advice: str = SOON
    outcome: str = NOT_SAVED
    readable: bool = False
    retry_after: int = 5

    @property
    def reason(self) -> str:
        """The message for a request that writes."""
        return f"{self.problem} {self.outcome} {self.advice}"


AWAY = DatabaseFailure("The database does not respond.")
LOST = DatabaseFailure("The connection to the database was lost.", outcome=UNKNOWN)
CONNECTIONS = DatabaseFailure("The database accepts no more connections.")
LOCKED = DatabaseFailure("The database is locked by another process.", readable=True)
SLOW = DatabaseFailure("The database took too long to respond.", readable=True)
FULL = DatabaseFailure(
    "The disk of the database is full.", "Free some disk space, then try again.", readable=True, retry_after=30
)
READ_ONLY = DatabaseFailure(
    "The database is read-only.", "Make it writable, then try again.", readable=True, retry_after=30
)
UNREADABLE = DatabaseFailure(
    "The database files cannot be read or written.", "Check the disk and the file permissions, then try again."
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES = {
    "55P03": LOCKED,
    "40001": LOCKED,
    "40P01": LOCKED,
    "57014": SLOW,
    "53000": FULL,
    "53100": FULL,
    "53200": SLOW,
    "53300": CONNECTIONS,
    "25006": READ_ONLY,
    "57P01": LOST,
    "57P02": LOST,
    "57P03": AWAY,
    "57P05": LOST,
    "58030": UNREADABLE,
}
# https://www.sqlite.org/rescode.html, without the suffix of extended codes
_SQLITE = {
    "BUSY": LOCKED,
    "LOCKED": LOCKED,
    "FULL": FULL,
    "READONLY": READ_ONLY,
    "CANTOPEN": UNREADABLE,
    "IOERR": UNREADABLE,
    "PERM": UNREADABLE,
    "INTERRUPT": SLOW,
    "PROTOCOL": LOCKED,
}
_CONNECTION_FAILED = ("connection failed", "connection is bad", "connection timeout", "failed to resolve host")
_TOO_MANY = ("too many clients", "too many connections", "connection slots are reserved")


def database_failure(error: BaseException | None) -> DatabaseFailure | None:
    """Return the failure that `error` reports; None for errors of the program, such as a missing table."""
    if not isinstance(error, OperationalError | InterfaceError | InternalError):
        return None
    cause = error.__cause__
    if name := getattr(cause, "sqlite_errorname", ""):
        return _SQLITE.get(name.split("_")[1])
    if state := getattr(cause, "sqlstate", None):
        return LOST if state.startswith("08") else _POSTGRES.get(state)
    return _without_code(error)


def _without_code(error: Error) -> DatabaseFailure | None:
    """Classify errors of the client library: there was no answer, or it came before the session began."""
    message = str(error).lower()
    if isinstance(error, InternalError):
        return None
    if any(text in message for text in _TOO_MANY):
        return CONNECTIONS
    if error.__cause__ is None or message.startswith(_CONNECTION_FAILED):
        return AWAY
    return LOST
