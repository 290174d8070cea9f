"""Subscribers in from a CSV file, after a preview and all or none, and out into one that no spreadsheet executes."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from incidents.models import AuditEntry, Component, Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery, Priority
from statuspage.subscribers import csv_format, csv_import
from statuspage.subscribers.models import Interest, Subscriber
from statuspage.subscribers.preferences import Preferences, preferences_of
from tests.console.staff import fields_of, form_to, invalid_controls, parsed_page, signed_in
from tests.factories import (
    ALICE,
    make_component,
    make_group,
    make_incident,
    make_page,
    make_subscriber,
    make_subscriber_with,
)

pytestmark = pytest.mark.django_db
IMPORT = "/console/p/acme/subscribers/import"


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def rest(page: Page) -> Component:
    return make_component(page, "REST", group=make_group(page, "APIs"))


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


def upload(editor: Client, text: str | bytes, *, by: str = "word") -> Any:
    """Choose a file and press the first button."""
    raw = text if isinstance(text, bytes) else text.encode()
    return editor.post(IMPORT, {"file": SimpleUploadedFile("people.csv", raw, "text/csv"), "by": by})


def commit(editor: Client, preview: Any) -> Any:
    """Press the second button, as the preview came."""
    return editor.post(IMPORT, {**fields_of(form_to(parsed_page(preview))), "commit": "1"}, follow=True)


def bring_in(editor: Client, text: str, *, by: str = "word") -> Any:
    preview = upload(editor, text, by=by)
    assert preview.status_code == 200, parsed_page(preview).text
    return commit(editor, preview)


def errors(page: Page, text: str) -> list[tuple[int, str]]:
    return csv_format.parse(page, text).errors


def states() -> dict[str, str]:
    return dict(Subscriber.objects.order_by("pk").values_list("email", "state"))


def test_a_file_is_previewed_and_then_imported(editor: Client, page: Page, rest: Component) -> None:
    text = (
        "email,components,groups,kinds,detail,time_zone\n"
        " Ada@Example.com ,REST,,,,\n"
        'bob@example.com,,apis,"incidents; postmortems",milestones,Europe/Berlin\n'
        "\n"
        "cleo@example.com,,,,,\n"
    )
    preview = upload(editor, text)
    assert preview.status_code == 200
    assert "3 new: subscribed without confirmation" in parsed_page(preview).text
    assert not Subscriber.objects.exists()
    answer = commit(editor, preview)
    assert "3 subscribers added." in parsed_page(answer).text
    preferences = {subscriber.email: preferences_of(subscriber) for subscriber in Subscriber.objects.all()}
    assert all(subscriber.is_active for subscriber in Subscriber.objects.all())
    assert preferences == {
        "ada@example.com": Preferences(whole_page=False, components=(rest,)),
        "bob@example.com": Preferences(
            whole_page=False,
            groups=(rest.group,) if rest.group else (),
            tells_maintenances=False,
            detail="milestones",
            time_zone="Europe/Berlin",
        ),
        "cleo@example.com": Preferences(),
    }
    assert not Delivery.objects.exists()


def test_asking_first_owes_each_a_mail_that_waits_behind_what_is_urgent(editor: Client, page: Page) -> None:
    bring_in(editor, "email\nada@example.com\nbob@example.com\n", by="ask")
    assert set(states().values()) == {"pending"}
    fan_out_waiting()
    assert [(d.kind, d.priority) for d in Delivery.objects.all()] == [("confirmation", Priority.LOW)] * 2
    assert not any(subscriber.confirmation_sent_at is None for subscriber in Subscriber.objects.all())


def test_those_who_are_here_stay_as_they_are(editor: Client, page: Page, rest: Component) -> None:
    for state in ("active", "paused", "unsubscribed", "pending"):
        make_subscriber(page, f"{state}@example.com", state=state)
    lines = "".join(f"{state}@example.com,incidents\n" for state in ("active", "paused", "unsubscribed", "pending"))
    preview = upload(editor, f"email,kinds\n{lines}new@example.com,\n")
    text = parsed_page(preview).text
    for expected in (
        "1 new",
        "1 already listed with a pending confirmation",
        "2 already subscribed: unchanged",
        "1 unsubscribed: unchanged",
    ):
        assert expected in text
    commit(editor, preview)
    assert states() == {
        "active@example.com": "active",
        "paused@example.com": "paused",
        "unsubscribed@example.com": "unsubscribed",
        "pending@example.com": "active",
        "new@example.com": "active",
    }
    kinds = {
        subscriber.email.partition("@")[0]: preferences_of(subscriber).kinds for subscriber in Subscriber.objects.all()
    }
    assert kinds["active"] == kinds["paused"] == ["incidents", "maintenances", "postmortems"]
    assert kinds["pending"] == ["incidents"]


def test_every_error_is_said_with_its_line_and_nothing_is_imported(editor: Client, page: Page, rest: Component) -> None:
    text = (
        "email,components,kinds,time_zone\n"
        "ada@example.com,,,\n"
        "not an address,Nowhere,gossip,Mars/Olympus\n"
        "bob@example.com,,\n"
        "ADA@example.com,,,\n"
        ",,,\n"
        ",REST,,\n"
    )
    preview = upload(editor, text)
    assert preview.status_code == 422
    items = [item.text for item in parsed_page(preview).one("div", class_="error").all("li")]
    assert items == [
        "Line 3: Enter a complete email address. Example: ada@example.com",
        "Line 3: This page has no component “Nowhere”.",
        "Line 3: “gossip” is not a type of notification. Use: incidents, maintenances, postmortems.",
        "Line 3: “Mars/Olympus” is not a time zone. Use a name like Europe/Berlin or Etc/UTC.",
        "Line 4: The header has 4 columns, but this line has 3.",
        "Line 5: ada@example.com is already in line 2.",
        "Line 7: Enter an email address.",
    ]
    answer = editor.post(IMPORT, {"text": text, "by": "word", "commit": "1"})
    assert answer.status_code == 422
    assert not Subscriber.objects.exists()


def test_a_thousand_errors_do_not_flood_the_page(editor: Client, page: Page) -> None:
    preview = upload(editor, "email\n" + "nonsense\n" * 1000)
    text = parsed_page(preview).text
    assert "these 1000 errors" in text
    assert "… and 950 more." in text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "The file is empty."),
        (b"\xff\xfe\x00bad", "not encoded in UTF-8"),
        (b"email\n\x00\n", "The file is not a text file."),
        (b"email\n" + b"x" * csv_format.MAX_BYTES, "Split it into several files."),
    ],
)
def test_what_cannot_be_a_file_of_ours_is_refused_beside_the_field(
    editor: Client, page: Page, raw: bytes, expected: str
) -> None:
    answer = upload(editor, raw)
    assert answer.status_code == 422
    assert expected in parsed_page(answer).text
    assert [control.attributes["name"] for control in invalid_controls(parsed_page(answer))] == ["file"]


def test_no_file_is_asked_for(editor: Client, page: Page) -> None:
    answer = editor.post(IMPORT, {"by": "word"})
    assert answer.status_code == 422
    assert "Choose a file." in parsed_page(answer).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("address\nada@example.com\n", (1, "with the column “email”")),
        ("email,shoe_size\nada@example.com,42\n", (1, "Unknown column “shoe_size”.")),
        ("email,email\na@example.com,b@example.com\n", (1, "a column twice")),
        ("email\n", (2, "no rows below the header")),
        ('email\n"' + "x" * 200_000, (2, "is not valid CSV")),
    ],
)
def test_a_file_with_a_wrong_head_says_so(page: Page, text: str, expected: tuple[int, str]) -> None:
    ((line, message),) = errors(page, text)
    assert line == expected[0]
    assert expected[1] in message


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_spreadsheets_of_other_countries_write_is_read(page: Page, delimiter: str) -> None:
    text = csv_format.read_text(
        "\ufeffEmail;Kinds;Time_Zone\r\nada@example.com;incidents;Asia/Tokyo\r\n".replace(";", delimiter).encode()
    )
    parsed_file = csv_format.parse(page, text)
    assert not parsed_file.errors
    (row,) = parsed_file.rows
    assert (row.email, row.preferences.kinds, row.preferences.time_zone) == (
        "ada@example.com",
        ["incidents"],
        "Asia/Tokyo",
    )


def test_components_go_by_name_full_name_or_id_and_doubtful_names_are_asked_back(page: Page, rest: Component) -> None:
    other = make_component(page, "REST", group=make_group(page, "Partners"))
    text = f"email,components\na@example.com,Partners - rest | {rest.public_id}\nb@example.com,REST\n"
    parsed_file = csv_format.parse(page, text)
    assert parsed_file.rows[0].preferences.components == (other, rest)
    ((line, message),) = parsed_file.errors
    assert line == 3
    assert "2 components are named “REST”" in message


def test_another_pages_components_are_unknown(page: Page) -> None:
    elsewhere = make_component(make_page(name="Other"), "Secret")
    assert errors(page, f"email,components\na@example.com,{elsewhere.public_id}\n")


def test_the_audit_log_counts_and_names_nobody(editor: Client, page: Page) -> None:
    bring_in(editor, "email\nada@example.com\nbob@example.com\n")
    entry = AuditEntry.objects.get(verb="subscribers.imported")
    assert entry.details == {"confirmed_by_staff": True, "added": 2, "waiting": 0, "known": 0, "left": 0}


def test_somebody_who_subscribes_between_preview_and_import_is_no_error(editor: Client, page: Page) -> None:
    preview = upload(editor, "email\nada@example.com\nbob@example.com\n")
    make_subscriber(page, "ada@example.com")
    assert "1 subscriber added." in parsed_page(commit(editor, preview)).text
    assert len(states()) == 2


def test_a_text_that_was_changed_on_the_way_is_judged_again(editor: Client, page: Page) -> None:
    answer = editor.post(IMPORT, {"text": "email\nnonsense\n", "by": "word", "commit": "1"})
    assert answer.status_code == 422
    assert not Subscriber.objects.exists()


def test_ten_thousand_lines_are_a_bounded_number_of_queries(
    page: Page, rest: Component, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    text = "email,components\n" + "".join(f"r{number}@example.com,REST\n" for number in range(10_000))
    parsed_file = csv_format.parse(page, text)
    assert not parsed_file.errors
    # SQLite takes 999 values in one statement; PostgreSQL needs three statements for every 500 lines.
    with django_assert_max_num_queries(10_000 // 25):
        csv_import.import_rows(page, parsed_file.rows, confirmed=True, actor=ALICE)
    assert Subscriber.objects.count() == Interest.objects.count() == 10_000


# Out


def exported(client: Client) -> str:
    answer = client.post("/console/p/acme/subscribers/export")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    text: str = answer.getvalue().decode("utf-8-sig")
    return text


def test_an_owner_exports_everybody_and_the_audit_log_says_who_did(page: Page, rest: Component) -> None:
    make_subscriber_with(page, "ada@example.com", components=(rest,), time_zone="Asia/Tokyo", tells_postmortems=False)
    make_subscriber(page, "bob@example.com", state="unsubscribed")
    make_subscriber(make_page(name="Other"), "stranger@example.com")
    owner = signed_in("owner", name="Olga")
    lines = list(csv.DictReader(io.StringIO(exported(owner))))
    assert [(line["email"], line["state"]) for line in lines] == [
        ("ada@example.com", "active"),
        ("bob@example.com", "unsubscribed"),
    ]
    ada = lines[0]
    assert (ada["components"], ada["kinds"], ada["time_zone"]) == (
        "APIs - REST",
        "incidents; maintenances",
        "Asia/Tokyo",
    )
    entry = AuditEntry.objects.get(verb="subscribers.exported")
    assert entry.actor_label == "Olga"


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_nobody_else_does(page: Page, role: str) -> None:
    assert signed_in(role).post("/console/p/acme/subscribers/export").status_code == 403
    assert signed_in("owner").get("/console/p/acme/subscribers/export").status_code == 405
    assert "Export CSV" not in parsed_page(signed_in(role).get("/console/p/acme/subscribers")).text


@pytest.mark.parametrize("email", ["=1+1@example.com", "+ada@example.com", "-ada@example.com"])
def test_no_cell_is_a_formula_and_the_file_still_reads_back(page: Page, email: str) -> None:
    component = make_component(page, '=HYPERLINK("https://evil.example")')
    make_subscriber_with(page, email, components=(component,))
    text = exported(signed_in("owner"))
    cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    (row,) = csv_format.parse(page, text).rows
    assert (row.email, row.preferences.components) == (email, (component,))


def test_what_was_exported_comes_back_as_it_was_elsewhere(page: Page, rest: Component) -> None:
    odd = make_component(page, "Mail; and more")
    make_subscriber_with(page, "ada@example.com", components=(odd, rest), detail="milestones")
    make_subscriber_with(page, "bob@example.com", groups=(rest.group,), tells_incidents=False)
    make_subscriber_with(page, "cleo@example.com")
    before = {subscriber.email: preferences_of(subscriber) for subscriber in Subscriber.objects.all()}
    text = exported(signed_in("owner"))
    Subscriber.objects.all().delete()
    bring_in(signed_in("editor"), text)
    assert {subscriber.email: preferences_of(subscriber) for subscriber in Subscriber.objects.all()} == before


def test_importing_an_export_signs_nobody_up_who_had_left_or_chose_less(page: Page) -> None:
    for state in ("unsubscribed", "paused", "pending"):
        make_subscriber(page, f"{state}@example.com", state=state)
    make_subscriber_with(page, "incident@example.com", incidents=(make_incident(page),))
    make_subscriber(page, "", channel="webhook", endpoint="https://hook.example/")
    make_subscriber(page, "active@example.com")
    text = exported(signed_in("owner"))
    parsed_file = csv_format.parse(page, text)
    assert [row.email for row in parsed_file.rows] == ["active@example.com"]
    assert (parsed_file.skipped, parsed_file.errors) == (5, [])


def test_an_export_costs_few_queries_for_ten_thousand(
    page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    now = timezone.now()
    Subscriber.objects.bulk_create(
        Subscriber(page=page, email=f"r{number}@example.com", state="active", confirmed_at=now)
        for number in range(10_000)
    )
    owner = signed_in("owner")
    # One more query for every thousand: what they chose.
    with django_assert_max_num_queries(20):
        assert exported(owner).count("\n") == 10_001
