"""The fields of a submitted form, to show and submit them again on a page that needs no database."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest

# Never sent back. The person enters them again.
_SECRET = re.compile(r"pass|secret|token|otp|credential|api_?key", re.IGNORECASE)
_ADDRESS = re.compile(r"(^|[-_])(e?mail|login|address|endpoint)$")
_CSRF = "csrfmiddlewaretoken"
# Set by the page, not typed.
_HIDDEN = re.compile(r"(^|[-_])(version|submission_key|count|website|step)$")
ONE_LINE = 80


@dataclass(frozen=True)
class SubmittedField:
    name: str
    value: str
    is_hidden: bool = False
    is_secret: bool = False

    @property
    def label(self) -> str:
        spaced = re.sub(r"[-_\[\]]+", " ", self.name).strip()
        return spaced[:1].upper() + spaced[1:]

    @property
    def is_checked(self) -> bool:
        """Browsers send this value for a checkbox without a value of its own."""
        return self.value == "on"

    @property
    def is_long(self) -> bool:
        return "\n" in self.value or len(self.value) > ONE_LINE

    @property
    def rows(self) -> int:
        return min(16, 3 + self.value.count("\n") + len(self.value) // ONE_LINE)


def submitted_fields(request: HttpRequest, *, addresses_only: bool) -> list[SubmittedField]:
    """Return the fields of a POST. With `addresses_only`, all fields but addresses are hidden."""
    return list(_fields(request, addresses_only=addresses_only)) if request.method == "POST" else []


def _fields(request: HttpRequest, *, addresses_only: bool) -> Iterable[SubmittedField]:
    for name, values in request.POST.lists():
        if name == _CSRF:
            continue
        if _SECRET.search(name):
            yield SubmittedField(name, "", is_secret=True)
            continue
        is_hidden = not _ADDRESS.search(name) if addresses_only else bool(_HIDDEN.search(name))
        for value in map(str, values):
            yield SubmittedField(name, value, is_hidden=is_hidden or not value)
