from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

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
from incidents.text.placeholders import gaps
from statuspage.console.action_form import ActionForm
from statuspage.console.fields import (
    PREFIX,
    ComponentChoice,
    ComponentStatusesField,
    MomentField,
    VersionField,
    fill_in,
)
from statuspage.console.proofreading.remarks import refuse_remarks, subject_of

OPEN_STATUSES = [(status.value, status.label) for status in UNRESOLVED]
IMPACTS = [("", "Automatic"), *[(i.value, i.label) for i in Impact if i != Impact.MAINTENANCE]]

CORRECTING = "Correct it if the update gives the wrong time. The status history of its components moves with it."


def new_key() -> str:
    return uuid4().hex


def _check_gaps(field: str, text: str) -> None:
    """Here and not in the actions: programs may publish what looks like a gap, people are asked what belongs in it."""
    if found := gaps(text):
        named = ", ".join(f"{{{{{gap.name}}}}} in line {gap.line}" for gap in found)
        raise ValidationError({field: f"This still has to be filled in: {named}."})


class MessageForm(ActionForm):
    """What every form about an incident has. The checks that matter are the actions': they hold for every caller.
    `checked` names those that are made here already, so that everything that is wrong is said at once.

    `submission_key` makes a double click one update; `version` is what the author had read.
    """

    body = forms.CharField(
        label="Message",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "true"}),
        help_text="Markdown. Visitors and subscribers read exactly this.",
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
        refuse_remarks(self, subject_of(self, self.page))
        return cleaned

    def renew(self, version: int) -> None:
        """After a conflict: the next press of the button is a deliberate one."""
        fill_in(self, version=str(version), submission_key=new_key())

    def update_input(self) -> UpdateInput:
        """The cleaned fields, as the actions take them."""
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
    """A form whose text can be kept as a draft, go out later, or wait for a second person."""

    def __init__(self, data: Any = None, *, page: Page, **more: Any) -> None:
        super().__init__(data, page=page, **more)
        self.fields["publish_at"] = MomentField(
            page.zone, label="Publish at", help_text=f"In {page.zone_name}. Until then it can be changed or taken back."
        )

    def clean_publish_at(self) -> datetime | None:
        later: datetime | None = self.cleaned_data["publish_at"]
        if later and later <= timezone.now():
            raise ValidationError("This time is over. Leave it empty to publish now.")
        if later and self.cleaned_data.get("at"):
            raise ValidationError("What goes out later cannot be backdated too. Leave one of the times empty.")
        return later

    def initial_from(self, draft: Draft) -> dict[str, Any]:
        """The saved values of an unfinished draft, as initial values of this form."""
        names = {self.add_prefix(name): name for name in self.fields if name not in ("version", "submission_key")}
        data = draft.form_data
        values: dict[str, Any] = {names[key]: items[-1] for key, items in data.items() if key in names and items}
        values["restore"] = data.get(self.add_prefix("restore"), [])
        values["components"] = {
            key.removeprefix(PREFIX): items[-1] for key, items in data.items() if key.startswith(PREFIX)
        }
        return values | {"notify": self.add_prefix("notify") in data}

    def content(self) -> DraftContent:
        """What is stored if the valid form is published later."""
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
    version = None  # type: ignore[assignment]  # there is nothing yet that could have changed
    checked = {"title": checks.title, **MessageForm.checked}
    field_order = ("title", "status", "impact")
    title = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 255}))
    status = forms.ChoiceField(choices=[(s.value, s.label) for s in INCIDENT_STATUSES if s in UNRESOLVED])
    impact = forms.ChoiceField(choices=IMPACTS, required=False)

    def __init__(self, data: Any = None, *, page: Page, **more: Any) -> None:
        super().__init__(data, page=page, **more)
        # A form that came back has its list of errors in focus.
        self.fields["title"].widget.attrs["autofocus"] = data is None

    def content(self) -> DeclareContent:
        title, impact = self.cleaned_data["title"], self.cleaned_data["impact"]
        return DeclareContent(title=title, impact=impact, **self._shared_content())


class UpdateForm(WithComponents):
    """A follow-up, or (with other words on its button) the reopening of a resolved incident.

    A maintenance that has not begun is only written about: it has a button of its own to start.
    """

    status = forms.ChoiceField(choices=OPEN_STATUSES)

    def __init__(self, data: Any = None, *, incident: Incident, **more: Any) -> None:
        super().__init__(data, page=incident.page, **more)
        self.incident = incident
        if incident.is_maintenance:
            words = RUNNING if incident.is_running else UPCOMING
            self.fields["status"].choices = [(status.value, status.label) for status in words]  # type: ignore[attr-defined]
            if len(words) == 1:
                self.fields["status"].widget = forms.HiddenInput()

    def content(self) -> DraftContent:
        return UpdateContent(**self._shared_content())


class ReopenForm(UpdateForm):
    """The reopening of a resolved incident."""

    def content(self) -> ReopenContent:
        return ReopenContent(**self._shared_content())


class ResolveForm(PublishForm):
    """`restore` names the components that are operational again; the others stay as they are, as the page says.

    `offered` are those not operational now. Any component of the incident is accepted: a second click comes when the
    first one has restored them already.
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
    """What was done since the end. `proposed` is the text that it begins with."""

    def __init__(self, data: Any = None, *, incident: Incident, proposed: str) -> None:
        initial = {"body": proposed, "notify": True, "version": incident.version}
        super().__init__(data, page=incident.page, initial=initial)
        self.incident = incident

    def content(self) -> FollowUpContent:
        return FollowUpContent(**self._shared_content())


class EditForm(ActionForm):
    """`at` shows the time with its offset: in the hour that comes twice, too, it means one moment."""

    body = MessageForm.base_fields["body"]
    version = VersionField()

    def __init__(self, data: Any = None, *, update: IncidentUpdate) -> None:
        zone = update.incident.page.zone
        at = update.display_at.astimezone(zone).isoformat(sep=" ", timespec="minutes")
        super().__init__(data, initial={"body": update.body, "version": update.version, "at": at})
        self.fields["at"] = MomentField(zone, label="When it happened", help_text=CORRECTING)
        self.update = update

    def clean(self) -> dict[str, Any]:
        refuse_remarks(self, subject_of(self, self.update.incident.page))
        return self.cleaned_data

    @property
    def corrected_time(self) -> datetime | None:
        """None if the time was left as it was."""
        at: datetime | None = self.cleaned_data["at"]
        return at if "at" in self.changed_data else None


def update_form(
    incident: Incident, data: Any = None, *, prefix: str | None = None, form_class: type[UpdateForm] = UpdateForm
) -> UpdateForm:
    # "Notify subscribers" as the author of the last update left it.
    initial = {"status": incident.status, "notify": incident.updates.all()[0].notify, "version": incident.version}
    return form_class(data, incident=incident, initial=initial, auto_id=f"{incident.public_id}_%s", prefix=prefix)
