"""The forms for subscribing and for preferences. Rendered by templates/subscribers/_preferences.html."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from incidents.models import Component, ComponentGroup, Incident, Page
from statuspage.common.email_addresses import EmailField
from statuspage.subscribers.addresses import web_address
from statuspage.subscribers.models import Detail
from statuspage.subscribers.preferences import KINDS, Preferences

WHOLE_PAGE, SELECTED = "page", "selected"
SCOPES = [(WHOLE_PAGE, _("Everything on this page")), (SELECTED, _("Only updates about …"))]


@dataclass(frozen=True)
class FormSection:
    """A group with its components, or (`group` None) the components without a group."""

    group: ComponentGroup | None
    components: list[Component]


class PreferencesForm(forms.Form):
    """`offered`: the components that can be selected. `open_incidents`: the incidents that can be followed.

    Parts that `preferences` already contain can always be kept. Data without `scope` keeps the given preferences; data
    without time zone and language keeps these two.
    """

    scope = forms.ChoiceField(label=_("Send me"), choices=SCOPES, widget=forms.RadioSelect, required=False)
    kinds = forms.MultipleChoiceField(label=_("Notify me about"), choices=list(KINDS.items()), required=False)
    detail = forms.ChoiceField(label=_("Frequency"), choices=Detail.choices, widget=forms.RadioSelect, required=False)
    time_zone = forms.ChoiceField(label=_("Time zone in emails"), required=False)
    language = forms.ChoiceField(label=_("Language of emails"), choices=lambda: settings.LANGUAGES, required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        page: Page,
        offered: Iterable[Component],
        open_incidents: Iterable[Incident] = (),
        preferences: Preferences | None = None,
        **more: Any,
    ) -> None:
        self.page = page
        self.preferences = preferences or Preferences()
        super().__init__(data, initial=_initial(self.preferences) | more.pop("initial", {}), **more)
        self.offered = list(dict.fromkeys([*offered, *self.preferences.components]))
        self.open_incidents = open_incidents
        self.fields["time_zone"].choices = _zone_choices(page, self.preferences)  # type: ignore[attr-defined]
        for name, choices in (("groups", self.groups), ("components", self.components), ("incidents", self.incidents)):
            self.fields[name] = forms.MultipleChoiceField(
                required=False, choices=[(public_id, str(part)) for public_id, part in choices.items()]
            )
            self.fields[name].error_messages["invalid_choice"] = _("This no longer exists on the page: %(value)s")

    @cached_property
    def groups(self) -> dict[str, ComponentGroup]:
        groups = [*(component.group for component in self.offered if component.group), *self.preferences.groups]
        return {group.public_id: group for group in groups}

    @cached_property
    def components(self) -> dict[str, Component]:
        return {component.public_id: component for component in self.offered}

    @cached_property
    def incidents(self) -> dict[str, Incident]:
        return {incident.public_id: incident for incident in [*self.open_incidents, *self.preferences.incidents]}

    @property
    def sections(self) -> list[FormSection]:
        """In page order, with the components without a group in one section."""
        sections: dict[ComponentGroup | None, FormSection] = {}
        for component in self.offered:
            sections.setdefault(component.group, FormSection(component.group, [])).components.append(component)
        for group in self.groups.values():
            sections.setdefault(group, FormSection(group, []))
        return list(sections.values())

    @property
    def is_bare(self) -> bool:
        return "scope" not in self.data

    @property
    def has_languages(self) -> bool:
        return len(settings.LANGUAGES) > 1

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.is_bare:
            return cleaned
        if "kinds" in cleaned and not cleaned["kinds"]:
            self.add_error("kinds", _("Choose at least one type of notification, or unsubscribe."))
        is_empty = not any(cleaned.get(name) for name in ("groups", "components", "incidents"))
        if cleaned.get("scope") == SELECTED and is_empty and not self.errors:
            self.add_error(
                "scope",
                ValidationError(_("Choose at least one component, group or incident, or everything on this page.")),
            )
        return cleaned

    def cleaned_preferences(self) -> Preferences:
        """Return the preferences. Call it after `is_valid()`."""
        if self.is_bare:
            return self.preferences
        cleaned = self.cleaned_data
        return Preferences(
            whole_page=cleaned["scope"] != SELECTED,
            groups=tuple(self.groups[public_id] for public_id in cleaned["groups"]),
            components=tuple(self.components[public_id] for public_id in cleaned["components"]),
            incidents=tuple(self.incidents[public_id] for public_id in cleaned["incidents"]),
            **{f"tells_{kind}": kind in cleaned["kinds"] for kind in KINDS},
            detail=cleaned["detail"] or Detail.ALL,
            time_zone=cleaned["time_zone"] if "time_zone" in self.data else self.preferences.time_zone,
            language=cleaned["language"] or self.preferences.language,
        )


class AddressForm(forms.Form):
    email = EmailField()
    # Hidden from people; bots that fill in every field reveal themselves.
    website = forms.CharField(required=False)

    @property
    def is_from_bot(self) -> bool:
        return bool(self.data.get("website"))


class CollapsibleForm(AddressForm, PreferencesForm):
    """An address, with the preferences in a collapsed section."""

    @property
    def is_changed(self) -> bool:
        """Whether to expand the preferences: something was changed there, or is invalid."""
        preference_fields = {"scope", "groups", "components", "kinds", "detail"}
        return not self.is_bare and bool(preference_fields.intersection([*self.changed_data, *self.errors]))


class SubscribeForm(CollapsibleForm):
    """Subscribes an email address."""


class WebhookForm(CollapsibleForm):
    endpoint = forms.CharField(
        strip=True,
        max_length=1000,
        error_messages={
            "required": _("Enter the URL of your webhook."),
            "max_length": _("A URL has at most 1,000 characters."),
        },
    )

    def clean_endpoint(self) -> Any:
        try:
            return web_address(self.cleaned_data["endpoint"])
        except ValidationError as error:
            raise ValidationError(error.messages) from None


def _initial(preferences: Preferences) -> dict[str, Any]:
    return {
        "scope": WHOLE_PAGE if preferences.whole_page else SELECTED,
        "groups": [group.public_id for group in preferences.groups],
        "components": [component.public_id for component in preferences.components],
        "incidents": [incident.public_id for incident in preferences.incidents],
        "kinds": preferences.kinds,
        "detail": preferences.detail,
        "time_zone": preferences.time_zone,
        "language": preferences.language,
    }


def _zone_choices(page: Page, preferences: Preferences) -> list[tuple[str, str]]:
    names = sorted({*time_zones(), preferences.time_zone} - {""})
    return [
        ("", _("Page default: %(zone)s") % {"zone": page.zone_name}),
        *((name, name.replace("_", " ")) for name in names),
    ]


@cache
def time_zones() -> frozenset[str]:
    """Return the common names such as `Europe/Berlin`, without `posixrules` or `EST5EDT`."""
    return frozenset({"UTC", *filter(_is_location, zoneinfo.available_timezones())})


def _is_location(name: str) -> bool:
    return "/" in name and not name.startswith(("Etc/", "SystemV/", "US/", "posix/", "right/"))
