"""The action items of a postmortem: validated and saved as one list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from incidents import clock
from incidents.actions import checks
from incidents.models import ActionItem, Postmortem

MAX_ACTION_ITEMS = 50


@dataclass(frozen=True)
class ActionItemDraft:
    """An action item as entered. `pk` is the item to change; None creates a new one."""

    text: str
    owner: str = ""
    due_on: date | None = None
    url: str = ""
    done: bool = False
    pk: int | None = None

    @property
    def content(self) -> tuple[object, ...]:
        return self.text.strip(), self.owner.strip(), self.due_on, self.url.strip(), self.done


def replace_items(postmortem: Postmortem, drafts: Sequence[ActionItemDraft]) -> bool:
    """Replace all action items. Return whether anything changed. Items that are not in `drafts` are deleted."""
    if len(drafts) > MAX_ACTION_ITEMS:
        raise ValidationError(
            {"action_items": f"Enter at most {MAX_ACTION_ITEMS} action items (there are {len(drafts)})."}
        )
    existing = {item.pk: item for item in postmortem.action_items.all()}
    before = [_content(item) for item in existing.values()]
    saved: list[ActionItem] = []
    for position, draft in enumerate(drafts, start=1):
        item = existing.get(draft.pk or 0) or ActionItem(postmortem=postmortem)
        item.text = checks.line(draft.text, field="action_items", what="An action item's text", max_length=500)
        item.owner = draft.owner.strip()
        item.due_on = draft.due_on
        item.url = _web_address(draft.url.strip())
        item.position = position
        item.done_at = (item.done_at or clock.now()) if draft.done else None
        item.save()
        saved.append(item)
    postmortem.action_items.exclude(pk__in=[item.pk for item in saved]).delete()
    return before != [_content(item) for item in saved]


def drafts_of(postmortem: Postmortem) -> list[tuple[object, ...]]:
    """Return the saved items, for comparison with `ActionItemDraft.content`."""
    items = postmortem.action_items.all()
    return [(item.text, item.owner, item.due_on, item.url, item.done_at is not None) for item in items]


def _content(item: ActionItem) -> tuple[object, ...]:
    return item.text, item.owner, item.due_on, item.url, item.done_at, item.position


def _web_address(url: str) -> str:
    try:
        if url:
            URLValidator(schemes=["http", "https"])(url)
    except ValidationError:
        raise ValidationError({"action_items": f"“{url}” is not a URL. Example: https://example.com/1."}) from None
    return url
