"""What an action answers when it cannot do as asked. Bad input is Django's ValidationError with the field named."""

from typing import Any


class EditConflict(Exception):
    """Somebody else saved first: `current` is what they saved, freshly read."""

    def __init__(self, current: Any) -> None:
        super().__init__("Someone else changed this in the meantime.")
        self.current = current
