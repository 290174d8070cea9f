from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError

from incidents import clock
from incidents.actions import checks
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, Draft, Incident, IncidentUpdate, Page
from incidents.models.draft_content import (
    DeclareContent,
    DraftContent,
    FollowUpContent,
    ReopenContent,
    ResolveContent,
    UpdateContent,
)
from incidents.models.states import INCIDENT_STATUSES, RUNNING, UNRESOLVED, UPCOMING, ComponentStatus, Impact
from incidents.text.placeholders import unfilled
from statuspage.console.action_form import ActionForm
from statuspage.console.fields import (
    PREFIX,
    ComponentChoice,
    ComponentStatusesField,
    MomentField,
    VersionField,
    fill_in,
)
from statuspage.console.proofreading.remarks import add_blocking_remarks, subject_of

OPEN_STATUSES = [(status.value, status.label) for status in UNRESOLVED]
IMPACTS = [("", "Automatic"), *[(i.value, i.label) for i in Impact if i != Impact.MAINTENANCE]]

EDIT_TIME_HELP = "The status history of its components changes with it."


def new_key() -> str:
    return uuid4().hex


def _check_gaps(field: str, text: str) -> None:
    """Reject unfilled placeholders. The actions accept them: API clients may publish text that looks like one."""
    if placeholders := unfilled(text):
        places = ", ".join(f"{{{{{placeholder.name}}}}} in line {placeholder.line}" for placeholder in placeholders)
        raise ValidationError({field: f"Fill in these placeholders: {places}."})


class MessageForm(ActionForm):
    """The fields that all forms about an incident share.

    The actions validate the values for every caller. `checked` lists the checks that the form repeats, so that all
    errors are shown at once. `submission_key` makes a double click one update. `version` is the version of the
    incident that the author saw.
    """

    body = forms.CharField(
        label="Message",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "true"}),
        help_text="Markdown. Shown to visitors and sent to subscribers.",
    )
    checked: ClassVar[dict[str, Callable[[str], object]]] = {"body": checks.body}
    notify = forms.BooleanField(label="Notify subscribers", required=False)
    submission_key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput, initial=new_key)
    version = VersionField()

    def __init__(self, data: Any = None, *, page: Page, **more: Any) -> None:
        super().__init__(data, **more)
        self.page = page
        self.fields["at"] = MomentField(
            page.zone, label="Time", help_text=f"In {page.zone_name}. Empty means now; set it to backdate."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in self.checked.keys() & cleaned.keys():
            try:
                self.checked[name](cleaned[name])
                _check_gaps(name, cleaned[name])
            except ValidationError as error:
                self.add_action_errors(error)
        add_blocking_remarks(self, subject_of(self, self.page))
        return cleaned

    def renew(self, version: int) -> None:
        """After a conflict, let the next submission overwrite the current version."""
        fill_in(self, version=str(version), submission_key=new_key())

    def update_input(self) -> UpdateInput:
        """Return the values as the actions take them."""
        return UpdateInput(
            body=self.cleaned_data["body"],
            status=self.cleaned_data.get("status", ""),
            components=self.cleaned_data.get("components"),
            notify=self.cleaned_data["notify"],
            at=self.cleaned_data.get("at"),
            expected_version=self.cleaned_data["version"],
            submission_key=self.cleaned_data["submission_key"],
        )


class PublishForm(MessageForm):
    """A message that can be saved as a draft, scheduled, or submitted for approval."""

    def __init__(self, data: Any = None, *, page: Page, **more: Any) -> None:
        super().__init__(data, page=page, **more)
        self.fields["publish_at"] = MomentField(
            page.zone,
            label="Publish at",
            help_text=f"In {page.zone_name}. You can edit or withdraw the update until then.",
        )

    def clean_publish_at(self) -> datetime | None:
        later: datetime | None = self.cleaned_data["publish_at"]
        if later and later <= clock.now():
            raise ValidationError("Enter a time in the future, or leave this empty to publish now.")
        if later and self.cleaned_data.get("at"):
            raise ValidationError("A scheduled update cannot be backdated. Clear one of the two times.")
        return later

    def initial_from(self, draft: Draft) -> dict[str, Any]:
        """Return the saved values of an unfinished draft, as initial values of this form."""
        names = {self.add_prefix(name): name for name in self.fields if name not in ("version", "submission_key")}
        data = draft.form_data
        values: dict[str, Any] = {names[key]: items[-1] for key, items in data.items() if key in names and items}
        values["restore"] = data.get(self.add_prefix("restore"), [])
        values["components"] = {
            key.removeprefix(PREFIX): items[-1] for key, items in data.items() if key.startswith(PREFIX)
        }
        return values | {"notify": self.add_prefix("notify") in data}

    def content(self) -> DraftContent:
        """Return what is stored if the valid form is published later."""
        raise NotImplementedError

    def _shared_content(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("body", "notify", "at")}


def by_public_id(statuses: Mapping[Component, str]) -> dict[str, str]:
    return {component.public_id: status for component, status in statuses.items()}


class WithComponents(PublishForm):
    def __init__(self, data: Any = None, *, page: Page, **more: Any) -> None:
        super().__init__(data, page=page, **more)
        self.fields["components"] = self.component_field = ComponentStatusesField(page)

    @property
    def component_groups(self) -> list[tuple[str, list[ComponentChoice]]]:
        return self.component_field.grouped(self["components"].value())

    def _shared_content(self) -> dict[str, Any]:
        statuses = by_public_id(self.cleaned_data["components"] or {})
        return super()._shared_content() | {"status": self.cleaned_data["status"], "components": statuses}


class DeclareForm(WithComponents):
    version = None  # type: ignore[assignment]  # a new incident has no version
    checked = {"title": checks.title, **MessageForm.checked}
    field_order = ("title", "status", "impact")
    title = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 255}))
    status = forms.ChoiceField(choices=[(s.value, s.label) for s in INCIDENT_STATUSES if s in UNRESOLVED])
    impact = forms.ChoiceField(choices=IMPACTS, required=False)

    def __init__(self, data: Any = None, *, page: Page, **more: Any) -> None:
        super().__init__(data, page=page, **more)
        # A rejected form focuses its list of errors.
        self.fields["title"].widget.attrs["autofocus"] = data is None

    def content(self) -> DeclareContent:
        title, impact = self.cleaned_data["title"], self.cleaned_data["impact"]
        return DeclareContent(title=title, impact=impact, **self._shared_content())


class UpdateForm(WithComponents):
    """An update, or the reopening of a resolved incident.

    An update cannot change the status of an upcoming maintenance: a separate form starts it.
    """

    status = forms.ChoiceField(choices=OPEN_STATUSES)

    def __init__(self, data: Any = None, *, incident: Incident, **more: Any) -> None:
        super().__init__(data, page=incident.page, **more)
        self.incident = incident
        if incident.is_maintenance:
            statuses = RUNNING if incident.is_running else UPCOMING
            self.fields["status"].choices = [(status.value, status.label) for status in statuses]  # type: ignore[attr-defined]
            if len(statuses) == 1:
                self.fields["status"].widget = forms.HiddenInput()

    def content(self) -> DraftContent:
        return UpdateContent(**self._shared_content())


class ReopenForm(UpdateForm):
    """The reopening of a resolved incident."""

    def content(self) -> ReopenContent:
        return ReopenContent(**self._shared_content())


class ResolveForm(PublishForm):
    """The resolving update. `restore` lists the components that become operational; the others keep their status.

    `offered` are the components that are not operational now. The form accepts any component of the incident, because
    a double click may arrive after the first one has restored them.
    """

    def __init__(self, data: Any = None, *, incident: Incident, offered: dict[Component, str], **more: Any) -> None:
        super().__init__(data, page=incident.page, **more)
        self.incident = incident
        self.offered = list(offered)
        self.known = {component.public_id: component for component in incident.affected_components()}
        self.fields["restore"] = forms.MultipleChoiceField(
            label="Back to operational",
            required=False,
            choices=[(public_id, component.full_name) for public_id, component in self.known.items()],
            initial=[component.public_id for component, status in offered.items() if status == "operational"],
        )

    @property
    def choices(self) -> list[tuple[Component, bool]]:
        chosen = self["restore"].value() or []
        return [(component, component.public_id in chosen) for component in self.offered]

    def restored(self) -> dict[Component, str]:
        """The components to restore, with their new status."""
        return {self.known[public_id]: ComponentStatus.OPERATIONAL for public_id in self.cleaned_data["restore"]}

    def content(self) -> ResolveContent:
        return ResolveContent(restore=by_public_id(self.restored()), **self._shared_content())


class FollowUpForm(PublishForm):
    """An update to an incident that is resolved. `proposed` is the initial text."""

    def __init__(self, data: Any = None, *, incident: Incident, proposed: str) -> None:
        initial = {"body": proposed, "notify": True, "version": incident.version}
        super().__init__(data, page=incident.page, initial=initial)
        self.incident = incident

    def content(self) -> FollowUpContent:
        return FollowUpContent(**self._shared_content())


class EditForm(ActionForm):
    """Edit a published update. `at` includes the UTC offset, so that it is unambiguous when clocks go back."""

    body = MessageForm.base_fields["body"]
    version = VersionField()

    def __init__(self, data: Any = None, *, update: IncidentUpdate) -> None:
        zone = update.incident.page.zone
        at = update.display_at.astimezone(zone).isoformat(sep=" ", timespec="minutes")
        super().__init__(data, initial={"body": update.body, "version": update.version, "at": at})
        self.fields["at"] = MomentField(zone, label="Time", help_text=EDIT_TIME_HELP)
        self.update = update

    def clean(self) -> dict[str, Any]:
        add_blocking_remarks(self, subject_of(self, self.update.incident.page))
        return self.cleaned_data

    @property
    def corrected_time(self) -> datetime | None:
        """The new time, or None if it was not changed."""
        at: datetime | None = self.cleaned_data["at"]
        return at if "at" in self.changed_data else None


def update_form(
    incident: Incident, data: Any = None, *, prefix: str | None = None, form_class: type[UpdateForm] = UpdateForm
) -> UpdateForm:
    # Notify as the last update did.
    initial = {"status": incident.status, "notify": incident.updates.all()[0].notify, "version": incident.version}
    return form_class(data, incident=incident, initial=initial, auto_id=f"{incident.public_id}_%s", prefix=prefix)
