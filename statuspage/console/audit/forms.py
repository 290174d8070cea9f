from datetime import timedelta
from typing import Any

from django import forms

from incidents.models import Incident, Page
from incidents.models.audit import AuditEntryQuerySet
from incidents.reporting.uptime import midnight
from statuspage.console.audit.audit_sentences import phrase
from statuspage.console.fields import DayField


class AuditFilter(forms.Form):
    """What is shown of the audit log. Bad words in an address narrow nothing: the form says so and shows everything."""

    actor = forms.ChoiceField(label="Who", required=False)
    verb = forms.ChoiceField(label="Did what", required=False)
    since = DayField(label="From")
    until = DayField(label="To")
    q = forms.CharField(label="Words", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"}))
    object = forms.SlugField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, page: Page) -> None:
        super().__init__(data)
        self.page = page
        actors, verbs = page.audit_entries.all().facets()
        who = sorted(actors.items(), key=lambda one: one[1].casefold())
        what = sorted(((verb, phrase(verb)) for verb in verbs), key=lambda one: one[1])
        self.fields["actor"].choices = [("", "Anybody"), *who]  # type: ignore[attr-defined]
        self.fields["verb"].choices = [("", "Anything"), *what]  # type: ignore[attr-defined]
        self.incident: Incident | None = None

    def narrowed(self) -> AuditEntryQuerySet:
        """The page's entries that it asks for, the newest first."""
        found = self.page.audit_entries.all()
        if not self.is_valid():
            return found
        asked = self.cleaned_data
        if asked["object"]:
            self.incident = self.page.incidents.with_code(asked["object"])
            found = found.about_incident(self.incident) if self.incident else found.about(asked["object"])
        found = found.of_actor(asked["actor"]) if asked["actor"] else found
        found = found.of_verb(asked["verb"]) if asked["verb"] else found
        found = found.since(midnight(asked["since"], self.page.zone)) if asked["since"] else found
        if asked["until"]:
            found = found.before(midnight(asked["until"] + timedelta(days=1), self.page.zone))
        return found.containing(asked["q"]) if asked["q"] else found
