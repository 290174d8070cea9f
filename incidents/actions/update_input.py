"""The content of an update, as every action that posts one takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incidents.models import Component

Statuses = Mapping[Component, str]


@dataclass(frozen=True)
class UpdateInput:
    """What an author gives for an update.

    body: Markdown. Actions that have a standard sentence use it if this is empty.
    status: the new status, for `post_update` and `reopen`; other actions determine it themselves.
    components: new statuses; None changes no component. `resolve` and `complete` take `restore` instead.
    notify: whether subscribers are notified; None means the default of the action.
    at: backdates the update; None means now.
    expected_version: the version of the incident that the author read; None accepts any.
    submission_key: the same key again returns the update that was posted first.
    """

    body: str = ""
    status: str = ""
    components: Statuses | None = None
    notify: bool | None = None
    at: datetime | None = None
    expected_version: int | None = None
    submission_key: str = ""

    def notifies(self, *, default: bool = True) -> bool:
        return default if self.notify is None else self.notify


NO_INPUT = UpdateInput()
