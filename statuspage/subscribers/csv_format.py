"""Subscribers as a CSV file: reading one line by line, with every error at its line; and writing one."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from incidents.models import Component, ComponentGroup, Page
from incidents.models.pages import validate_time_zone
from statuspage.subscribers.forms import SELECTED, WHOLE_PAGE, EmailField
from statuspage.subscribers.models import Channel, Detail, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import normalise
from statuspage.subscribers.preferences import KINDS, Preferences, preferences_of

COLUMNS = ("email", "components", "groups", "kinds", "detail", "time_zone", "language")
# Written beside them on export. Of these, the first three are read again: they say who must not be signed up.
EXTRA = ("scope", "state", "channel", "created_at", "confirmed_at", "id")
MAX_BYTES = 1_500_000
_SEPARATOR = re.compile(r"[;|\n]")
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_DEFUSED = re.compile(r"^'(?=[=+\-@\t\r])")


@dataclass(frozen=True)
class Row:
    """A line of the file that says whom to tell of what."""

    number: int
    email: str
    preferences: Preferences


@dataclass
class Sheet:
    """What a file says: `errors` by line number, and `left_out`, the lines of people who must not be signed up."""

    rows: list[Row] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)
    left_out: int = 0


def read_text(raw: bytes) -> str:
    """ValidationError if it cannot be a CSV file of ours."""
    if len(raw) > MAX_BYTES:
        raise ValidationError(f"The file has {len(raw):,} bytes; {MAX_BYTES:,} are allowed. Split it into several.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError("The file is not text in UTF-8. In a spreadsheet, save it as “CSV UTF-8”.") from None
    if "\0" in text:
        raise ValidationError("This is not a text file.")
    return text


def read_sheet(page: Page, text: str) -> Sheet:
    """Every line is judged, so that everything wrong is said at once."""
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text))
    sheet = Sheet()
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if wrong := _wrong_with(header):
            sheet.errors.append((1, wrong))
            return sheet
        _read_lines(sheet, header, reader, Known(page))
    except csv.Error as error:
        sheet.errors.append((reader.line_num, f"This line cannot be read: {error}."))
    if not sheet.rows and not sheet.errors and not sheet.left_out:
        sheet.errors.append((2, "There is no line after the names of the columns."))
    return sheet


def _read_lines(sheet: Sheet, header: list[str], reader: Any, known: Known) -> None:
    first_lines: dict[str, int] = {}
    for cells in reader:
        number = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            sheet.errors.append((number, f"Line 1 names {len(header)} columns, and here are {len(cells)}."))
            continue
        values = dict(zip(header, (_DEFUSED.sub("", cell.strip()) for cell in cells), strict=True))
        if not _wants_this(values):
            sheet.left_out += 1
            continue
        row = _read_row(sheet, number, values, known)
        if row and row.email in first_lines:
            sheet.errors.append((number, f"{row.email} stands in line {first_lines[row.email]} already."))
        elif row:
            first_lines[row.email] = number
            sheet.rows.append(row)


def _wants_this(values: dict[str, str]) -> bool:
    """Not so: who had left or was paused, whoever is told by other means than mail, and who chose only incidents."""
    narrow = values.get("scope") == SELECTED and not (values.get("components") or values.get("groups"))
    return (
        values.get("state", "").lower() in ("", SubscriberState.ACTIVE)
        and values.get("channel", "").lower() in ("", Channel.EMAIL)
        and not narrow
    )


def _read_row(sheet: Sheet, number: int, values: dict[str, str], known: Known) -> Row | None:
    """None if something is wrong with it, which is then among the errors."""
    found: dict[str, Any] = {}
    readers: dict[str, Callable[[str], Any]] = {
        "email": _email,
        "components": known.components,
        "groups": known.groups,
        "kinds": _kinds,
        "detail": _detail,
        "time_zone": _time_zone,
        "language": _language,
    }
    before = len(sheet.errors)
    for name, read in readers.items():
        try:
            found[name] = read(values.get(name, ""))
        except ValidationError as error:
            sheet.errors.extend((number, message) for message in error.messages)
    if len(sheet.errors) > before:
        return None
    kinds = found.pop("kinds")
    found |= {f"tells_{kind}": kind in kinds for kind in KINDS}
    return Row(
        number, found.pop("email"), Preferences(whole_page=not (found["components"] or found["groups"]), **found)
    )


class Known:
    """The page's components and groups, by what a file may call them."""

    def __init__(self, page: Page) -> None:
        self._components: dict[str, list[Component]] = defaultdict(list)
        self._groups: dict[str, list[ComponentGroup]] = defaultdict(list)
        for component in page.components.active().in_page_order():
            for name in {component.public_id, component.name.lower(), component.full_name.lower()}:
                self._components[name].append(component)
        for group in page.groups.all():
            for name in {group.public_id, group.name.lower()}:
                self._groups[name].append(group)

    def name_of(self, thing: Component | ComponentGroup) -> str:
        """How a file calls it: by its name if that is clear, else by its public id."""
        name = str(thing)
        namesakes = (self._components if isinstance(thing, Component) else self._groups).get(name.lower(), [])
        return name if len(namesakes) == 1 and not _SEPARATOR.search(name) else thing.public_id

    def components(self, cell: str) -> tuple[Component, ...]:
        return tuple(dict.fromkeys(_one(self._components, name, "component") for name in _listed(cell)))

    def groups(self, cell: str) -> tuple[ComponentGroup, ...]:
        return tuple(dict.fromkeys(_one(self._groups, name, "group") for name in _listed(cell)))


def _one(known: dict[str, list[Any]], name: str, what: str) -> Any:
    found = known.get(name.lower(), [])
    if not found:
        raise ValidationError(f"There is no {what} “{name}” on this page.")
    if len(found) > 1:
        raise ValidationError(f"{len(found)} {what}s are called “{name}”. Write “Group - {name}”, or its id.")
    return found[0]


def _email(cell: str) -> str:
    return normalise(str(EmailField().clean(cell)))


def _kinds(cell: str) -> list[str]:
    found = [name.lower() for name in _listed(cell)] or list(KINDS)
    for name in found:
        if name not in KINDS:
            raise ValidationError(f"“{name}” is not a kind of news. Use some of: {', '.join(KINDS)}.")
    return found


def _detail(cell: str) -> str:
    if cell and cell.lower() not in Detail.values:
        raise ValidationError(f"“{cell}” is not a detail. Use one of: {', '.join(Detail.values)}.")
    return cell.lower() or Detail.ALL


def _time_zone(cell: str) -> str:
    if cell:
        validate_time_zone(cell)
    return cell


def _language(cell: str) -> str:
    codes = [code for code, _ in settings.LANGUAGES]
    if cell and cell.lower() not in codes:
        raise ValidationError(f"“{cell}” is not a language of our mails. Use one of: {', '.join(codes)}.")
    return cell.lower() or settings.LANGUAGE_CODE


def _listed(cell: str) -> list[str]:
    return [name.strip() for name in _SEPARATOR.split(cell) if name.strip()]


def _delimiter(text: str) -> str:
    """As the first line has it: spreadsheets write what their country is used to."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _wrong_with(header: list[str]) -> str:
    unknown = [name for name in header if name not in COLUMNS + EXTRA]
    if "email" not in header:
        others = ", ".join(COLUMNS[1:])
        return f"The first line must name the columns, and one must be “email”. It may also name: {others}."
    if unknown:
        return f"There is no column “{unknown[0]}”. Use some of: {', '.join(COLUMNS)}."
    if len(set(header)) < len(header):
        return "A column is named twice."
    return ""


def written(page: Page, subscribers: Iterable[Subscriber]) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180) that spreadsheets open and `read_sheet` reads. Prefetch the preferences.

    What a spreadsheet would take for a formula begins with an apostrophe.
    """
    known = Known(page)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"
    for cells in chain([COLUMNS + EXTRA], (_cells(one, known) for one in subscribers)):
        writer.writerow([_defused(cell) for cell in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _cells(subscriber: Subscriber, known: Known) -> tuple[str, ...]:
    preferences = preferences_of(subscriber)
    return (
        subscriber.email,
        "; ".join(map(known.name_of, preferences.components)),
        "; ".join(map(known.name_of, preferences.groups)),
        "; ".join(preferences.kinds),
        preferences.detail,
        preferences.time_zone,
        preferences.language,
        WHOLE_PAGE if preferences.whole_page else SELECTED,
        subscriber.state,
        subscriber.channel,
        subscriber.created_at.isoformat(timespec="seconds"),
        subscriber.confirmed_at.isoformat(timespec="seconds") if subscriber.confirmed_at else "",
        subscriber.public_id,
    )


def _defused(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
