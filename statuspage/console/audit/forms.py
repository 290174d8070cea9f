from datetime import timedelta
from typing import Any

from django import forms

from incidents.models import Incident, Page
from incidents.models.audit import AuditEntryQuerySet
from incidents.reporting.uptime import midnight
from statuspage.console.audit.audit_sentences import phrase
from statuspage.console.fields import DayField


class AuditFilter(forms.Form):
    """Filter of the audit log. An invalid value filters nothing: the form shows an error and all entries."""

    actor = forms.ChoiceField(label="Person or token", required=False)
    verb = forms.ChoiceField(label="Action", required=False)
    since = DayField(label="From")
    until = DayField(label="To")
    q = forms.CharField(
        label="Search", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )
    object = forms.SlugField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, page: Page) -> None:
        super().__init__(data)
        self.page = page
        actors, verbs = page.audit_entries.all().facets()
        actor_choices = sorted(actors.items(), key=lambda choice: choice[1].casefold())
        verb_choices = sorted(((verb, phrase(verb)) for verb in verbs), key=lambda choice: choice[1])
        self.fields["actor"].choices = [("", "Anyone"), *actor_choices]  # type: ignore[attr-defined]
        self.fields["verb"].choices = [("", "Any action"), *verb_choices]  # type: ignore[attr-defined]
        self.incident: Incident | None = None

    def entries(self) -> AuditEntryQuerySet:
        """Return the page's entries that match, newest first."""
        entries = self.page.audit_entries.all()
        if not self.is_valid():
            return entries
        data, zone = self.cleaned_data, self.page.zone
        if data["object"]:
            self.incident = self.page.incidents.with_public_id(data["object"])
            entries = entries.about_incident(self.incident) if self.incident else entries.about(data["object"])
        entries = entries.of_actor(data["actor"]) if data["actor"] else entries
        entries = entries.of_verb(data["verb"]) if data["verb"] else entries
        entries = entries.since(midnight(data["since"], zone)) if data["since"] else entries
        entries = entries.before(midnight(data["until"] + timedelta(days=1), zone)) if data["until"] else entries
        return entries.containing(data["q"]) if data["q"] else entries
