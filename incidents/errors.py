"""Errors of the actions. Invalid input raises Django's ValidationError with the name of the field."""

from typing import Any


class EditConflict(Exception):
    """Someone else saved first. `current` is the saved object, freshly read."""

    def __init__(self, current: Any) -> None:
        super().__init__("Someone else changed this in the meantime.")
        self.current = current


class ApprovalRequired(Exception):
    """The page's rules require a second person's approval of this change. Nothing was changed."""

    def __init__(self, page: Any) -> None:
        super().__init__("This page requires the approval of a second person for this change.")
        self.page = page
