from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from django import forms

from incidents.actions.postmortems.action_items import MAX_ACTION_ITEMS, ActionItemDraft
from incidents.models import ActionItem, Page, Postmortem
from incidents.text.default_templates import OUTLINE
from statuspage.console.action_form import ActionForm
from statuspage.console.fields import MomentField
from statuspage.console.form_rows import with_more_rows, with_value

EMPTY_ROWS = 3


class PostmortemForm(ActionForm):
    """The text and how it is published. `version` is the version that the author saw (0 if there was none)."""

    body = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "true"}),
        help_text="Markdown. “## What happened” makes a heading.",
    )
    notify = forms.BooleanField(required=False)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, page: Page, **more: Any) -> None:
        super().__init__(data, **more)
        self.page = page
        self.fields["at"] = MomentField(
            page.zone, label="Published at", help_text=f"In {page.zone_name}. Leave empty to publish now."
        )

    def renew(self, version: int) -> None:
        """After a conflict, let the next submission overwrite the current version."""
        self.data = with_value(self.data, "version", version)

    def reject_bare_outline(self) -> None:
        """Add an error if the text is only the outline."""
        if self.cleaned_data["body"].split() == outline_of(self.page).split():
            self.add_error("body", "The postmortem contains only headings. Add text below them before you publish.")


class ActionItemForm(forms.Form):
    """One action item. An empty row is ignored."""

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    text = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    owner = forms.CharField(required=False, max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    due_on = forms.DateField(
        label="Due", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    url = forms.URLField(
        label="Link",
        required=False,
        max_length=200,
        assume_scheme="https",
        error_messages={"invalid": "Enter a full URL. Example: https://example.org/12."},
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://", "autocomplete": "off"}),
    )
    done = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        rest = any(cleaned.get(name) for name in ("owner", "due_on", "url", "done"))
        if rest and not cleaned.get("text") and "text" not in self.errors:
            self.add_error("text", "Describe the action, or clear the whole row.")
        return cleaned

    @property
    def draft(self) -> ActionItemDraft | None:
        cleaned = getattr(self, "cleaned_data", {})
        return ActionItemDraft(**cleaned) if cleaned.get("text") else None


if TYPE_CHECKING:
    _FormSet = forms.BaseFormSet[ActionItemForm]
else:
    _FormSet = forms.BaseFormSet


class ActionItemRows(_FormSet):
    @property
    def has_room(self) -> bool:
        return self.total_form_count() < self.max_num

    @property
    def drafts(self) -> list[ActionItemDraft]:
        """Return the action items of the valid rows, in order."""
        return [draft for form in self.forms if (draft := form.draft)]


ROWS = forms.formset_factory(
    ActionItemForm, formset=ActionItemRows, extra=EMPTY_ROWS, max_num=MAX_ACTION_ITEMS, absolute_max=60
)


def action_items(data: Any = None, *, items: Iterable[ActionItem] = (), more_rows: bool = False) -> ActionItemRows:
    """Return rows for `items` and some empty ones, or the submitted rows. `more_rows` adds empty rows."""
    if more_rows:
        data = with_more_rows(data, "items", EMPTY_ROWS, MAX_ACTION_ITEMS)
    initial = None if data else [_row(item) for item in items]
    return cast(ActionItemRows, ROWS(data, prefix="items", initial=initial))


def outline_of(page: Page) -> str:
    return page.postmortem_outline.strip() or OUTLINE


def postmortem_form(postmortem: Postmortem | None, *, page: Page) -> PostmortemForm:
    """Return the form with the saved draft, or with the outline."""
    text = postmortem.draft or postmortem.body if postmortem else ""
    initial = {"body": text or outline_of(page), "version": postmortem.version if postmortem else 0, "notify": True}
    return PostmortemForm(page=page, initial=initial)


def _row(item: ActionItem) -> dict[str, Any]:
    fields = {name: getattr(item, name) for name in ("pk", "text", "owner", "due_on", "url")}
    return fields | {"done": item.done_at is not None}
