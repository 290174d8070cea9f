"""Read and write CSV files of subscribers. Errors are reported with their line."""

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
from statuspage.common.email_addresses import EmailField, readable_email
from statuspage.subscribers.forms import SELECTED, WHOLE_PAGE
from statuspage.subscribers.models import Channel, Detail, Subscriber, SubscriberState
from statuspage.subscribers.preferences import KINDS, Preferences, preferences_of

COLUMNS = ("email", "components", "groups", "kinds", "detail", "time_zone", "language")
# Additional columns of an export. On import, the first three exclude rows that must not be subscribed.
EXTRA = ("scope", "state", "channel", "created_at", "confirmed_at", "id")
MAX_BYTES = 1_500_000
_SEPARATOR = re.compile(r"[;|\n]")
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_ESCAPED_FORMULA = re.compile(r"^'(?=[=+\-@\t\r])")


@dataclass(frozen=True)
class Row:
    """A line of the file: an address and its preferences."""

    number: int
    email: str
    preferences: Preferences

    @property
    def readable_email(self) -> str:
        return readable_email(self.email)


@dataclass
class ParsedFile:
    """The content of a file.

    `errors`: line numbers and messages. `skipped`: the number of rows that must not be subscribed.
    """

    rows: list[Row] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)
    skipped: int = 0


def read_text(raw: bytes) -> str:
    """Decode the file. ValidationError if it is too large or not text."""
    if len(raw) > MAX_BYTES:
        raise ValidationError(
            f"The file has {len(raw):,} bytes. The limit is {MAX_BYTES:,}. Split it into several files."
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError(
            "The file is not encoded in UTF-8. In a spreadsheet application, save it as “CSV UTF-8”."
        ) from None
    if "\0" in text:
        raise ValidationError("The file is not a text file.")
    return text


def parse(page: Page, text: str) -> ParsedFile:
    """Parse all lines, so that all errors are reported at once."""
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text))
    parsed = ParsedFile()
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if error := _header_error(header):
            parsed.errors.append((1, error))
            return parsed
        _read_lines(parsed, header, reader, PartNames(page))
    except csv.Error as error:
        parsed.errors.append((reader.line_num, f"This line is not valid CSV: {error}."))
    if not parsed.rows and not parsed.errors and not parsed.skipped:
        parsed.errors.append((2, "The file has no rows below the header."))
    return parsed


def _read_lines(parsed: ParsedFile, header: list[str], reader: Any, names: PartNames) -> None:
    first_lines: dict[str, int] = {}
    for cells in reader:
        number = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            parsed.errors.append((number, f"The header has {len(header)} columns, but this line has {len(cells)}."))
            continue
        values = dict(zip(header, (_ESCAPED_FORMULA.sub("", cell.strip()) for cell in cells), strict=True))
        if not _is_importable(values):
            parsed.skipped += 1
            continue
        row = _read_row(parsed, number, values, names)
        if row and row.email in first_lines:
            parsed.errors.append((number, f"{readable_email(row.email)} is already in line {first_lines[row.email]}."))
        elif row:
            first_lines[row.email] = number
            parsed.rows.append(row)


def _is_importable(values: dict[str, str]) -> bool:
    """Exclude inactive subscribers, channels other than email, and subscribers of single incidents."""
    narrow = values.get("scope") == SELECTED and not (values.get("components") or values.get("groups"))
    return (
        values.get("state", "").lower() in ("", SubscriberState.ACTIVE)
        and values.get("channel", "").lower() in ("", Channel.EMAIL)
        and not narrow
    )


def _read_row(parsed: ParsedFile, number: int, values: dict[str, str], names: PartNames) -> Row | None:
    """Return the row, or None after adding its errors."""
    fields: dict[str, Any] = {}
    readers: dict[str, Callable[[str], Any]] = {
        "email": _email,
        "components": names.components,
        "groups": names.groups,
        "kinds": _kinds,
        "detail": _detail,
        "time_zone": _time_zone,
        "language": _language,
    }
    before = len(parsed.errors)
    for name, read in readers.items():
        try:
            fields[name] = read(values.get(name, ""))
        except ValidationError as error:
            parsed.errors.extend((number, message) for message in error.messages)
    if len(parsed.errors) > before:
        return None
    kinds = fields.pop("kinds")
    fields |= {f"tells_{kind}": kind in kinds for kind in KINDS}
    return Row(
        number, fields.pop("email"), Preferences(whole_page=not (fields["components"] or fields["groups"]), **fields)
    )


class PartNames:
    """The components and groups of the page by their names in a file."""

    def __init__(self, page: Page) -> None:
        self._components: dict[str, list[Component]] = defaultdict(list)
        self._groups: dict[str, list[ComponentGroup]] = defaultdict(list)
        for component in page.components.active().in_page_order():
            for name in {component.public_id, component.name.lower(), component.full_name.lower()}:
                self._components[name].append(component)
        for group in page.groups.all():
            for name in {group.public_id, group.name.lower()}:
                self._groups[name].append(group)

    def name_of(self, part: Component | ComponentGroup) -> str:
        """Return its name if that is unambiguous, otherwise its public id."""
        name = str(part)
        namesakes = (self._components if isinstance(part, Component) else self._groups).get(name.lower(), [])
        return name if len(namesakes) == 1 and not _SEPARATOR.search(name) else part.public_id

    def components(self, cell: str) -> tuple[Component, ...]:
        return tuple(dict.fromkeys(_find(self._components, name, "component") for name in _split(cell)))

    def groups(self, cell: str) -> tuple[ComponentGroup, ...]:
        return tuple(dict.fromkeys(_find(self._groups, name, "group") for name in _split(cell)))


def _find(names: dict[str, list[Any]], name: str, what: str) -> Any:
    parts = names.get(name.lower(), [])
    if not parts:
        raise ValidationError(f"This page has no {what} “{name}”.")
    if len(parts) > 1:
        raise ValidationError(f"{len(parts)} {what}s are named “{name}”. Use “Group - {name}” or the id.")
    return parts[0]


def _email(cell: str) -> str:
    return EmailField().clean(cell)


def _kinds(cell: str) -> list[str]:
    kinds = [name.lower() for name in _split(cell)] or list(KINDS)
    for name in kinds:
        if name not in KINDS:
            raise ValidationError(f"“{name}” is not a type of notification. Use: {', '.join(KINDS)}.")
    return kinds


def _detail(cell: str) -> str:
    if cell and cell.lower() not in Detail.values:
        raise ValidationError(f"“{cell}” is not a valid detail. Use one of: {', '.join(Detail.values)}.")
    return cell.lower() or Detail.ALL


def _time_zone(cell: str) -> str:
    if cell:
        validate_time_zone(cell)
    return cell


def _language(cell: str) -> str:
    codes = [code for code, _ in settings.LANGUAGES]
    if cell and cell.lower() not in codes:
        raise ValidationError(f"“{cell}” is not a supported language. Use one of: {', '.join(codes)}.")
    return cell.lower() or settings.LANGUAGE_CODE


def _split(cell: str) -> list[str]:
    return [name.strip() for name in _SEPARATOR.split(cell) if name.strip()]


def _delimiter(text: str) -> str:
    """Detect the delimiter from the first line: spreadsheets use the one of their locale."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _header_error(header: list[str]) -> str:
    unknown = [name for name in header if name not in COLUMNS + EXTRA]
    if "email" not in header:
        others = ", ".join(COLUMNS[1:])
        return f"The first line must be a header with the column “email”. Optional columns: {others}."
    if unknown:
        return f"Unknown column “{unknown[0]}”. Supported columns: {', '.join(COLUMNS)}."
    if len(set(header)) < len(header):
        return "The header contains a column twice."
    return ""


def write(page: Page, subscribers: Iterable[Subscriber]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180) that `parse` reads. Prefetch the preferences.

    Values that a spreadsheet would treat as a formula are prefixed with an apostrophe.
    """
    names = PartNames(page)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"
    for cells in chain([COLUMNS + EXTRA], (_row_cells(subscriber, names) for subscriber in subscribers)):
        writer.writerow([_escape_formula(cell) for cell in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _row_cells(subscriber: Subscriber, names: PartNames) -> tuple[str, ...]:
    preferences = preferences_of(subscriber)
    return (
        subscriber.email,
        "; ".join(map(names.name_of, preferences.components)),
        "; ".join(map(names.name_of, preferences.groups)),
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


def _escape_formula(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
