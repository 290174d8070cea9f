"""Out of one Candor and into another: `export_page` and `import_page candor`."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from incidents.actions.incidents import merging
from incidents.actions.pages import logos
from incidents.actions.postmortems import reviews
from incidents.images import convert_image
from incidents.models import (
    AffectedComponent,
    AuditEntry,
    Event,
    Incident,
    IncidentTemplate,
    IncidentUpdate,
    Metric,
    MetricPoint,
    MetricsProvider,
    Page,
    Postmortem,
    Revision,
    StatusInterval,
)
from incidents.transfer.serialization import INTERNAL
from statuspage.importers.archive import RESTORERS
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Channel, Subscriber
from tests.factories import (
    ALICE,
    make_component,
    make_endpoint,
    make_group,
    make_incident,
    make_page,
    make_resolved,
    make_subscriber_with,
)
from tests.importers.running import Ran, run
from tests.pictures import CHALK, file_of, wordmark

pytestmark = pytest.mark.django_db

# What an import cannot leave as it was: it is itself something that happened to the page.
STATED = {"exported_at", "updated_at"}
ACTIVE = (
    '<p style="position: fixed">Don\'t<script>alert(1)</script></p><style>p {color: red}</style>'
    '<img src="a.png" onerror="alert(1)"><a href="javascript:alert(1)">x</a> <del>old</del><ins>new</ins>'
)
HARMLESS = '<p>Don\'t</p><img src="a.png"><a rel="noopener">x</a> <del>old</del><ins>new</ins>'

A_LOGO = convert_image(file_of(wordmark()))


def export(page: Page, path: Path, *options: str) -> list[str]:
    call_command("export_page", page.public_id, str(path), *options, stdout=StringIO())
    return path.read_text(encoding="utf-8").splitlines()


def objects(lines: list[str], kind: str) -> list[dict[str, Any]]:
    return [raw for line in lines if (raw := json.loads(line))["type"] == kind]


def make_templates_and_metrics(page: Page) -> None:
    template = IncidentTemplate.objects.create(page=page, name="Slow", title="Slow API", body="It is slow.")
    template.components.add(page.components.all()[0])
    provider = MetricsProvider.objects.create(page=page)
    metric = Metric.objects.create(page=page, provider=provider, name="Latency", suffix="ms", y_axis_max=1.5)
    MetricPoint.objects.create(metric=metric, at=page.created_at, value=0.1)


def forget_everything() -> None:
    StatusInterval.objects.all().delete()
    AffectedComponent.objects.all().delete()
    Page.objects.all().delete()


def load(path: Path) -> Ran:
    return run("candor", str(path))


def test_the_demo_page_comes_back_byte_for_byte(tmp_path: Path) -> None:
    call_command("seed_demo", stdout=StringIO())
    page = Page.objects.get()
    make_endpoint(page, "https://hooks.example.com/a")
    make_subscriber_with(page, groups=(page.groups.all()[0],), components=(page.components.all()[0],))
    make_subscriber_with(page, incidents=(page.incidents.all()[0],), detail="milestones")
    make_templates_and_metrics(page)
    reviews.comment(Postmortem.objects.all()[0], body="Is this all?", actor=ALICE)
    merging.merge(make_incident(page), into=make_incident(page), reason="One failure.", actor=ALICE)
    logos.set_logo(page, logo=A_LOGO, logo_dark=convert_image(file_of(wordmark(CHALK))), actor=ALICE)
    before = export(page, tmp_path / "before.jsonl", "--with-secrets")
    forget_everything()

    ran = load(tmp_path / "before.jsonl")

    assert ran.code == 0, ran
    after = export(Page.objects.get(), tmp_path / "after.jsonl", "--with-secrets")
    *rest, imported, _end = after
    assert json.loads(imported)["verb"] == "page.imported"
    assert before[2:-1] == rest[2:]
    assert [without_stated(line) for line in before[:2]] == [without_stated(line) for line in after[:2]]
    kinds = {json.loads(line)["type"] for line in before}
    assert kinds == {*RESTORERS, "candor-export", "page", "audit", "end"}


def without_stated(line: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(line).items() if name not in STATED}


APPS = ("incidents", "subscribers", "notifications", "publishing")


def test_every_kind_of_row_is_exported_or_named_here() -> None:
    """Whoever adds a model says whether it moves along with its page."""
    exported = {"Page", "PageLogo", "ComponentGroup", "Component", "ServiceTarget", "MaintenanceSeries", "Incident"}
    exported |= {"IncidentUpdate", "AffectedComponent", "Revision", "Postmortem", "PostmortemComment", "ActionItem"}
    exported |= {"IncidentTemplate", "MetricsProvider", "Metric", "MetricPoint"}
    exported |= {"MaintenanceReminder", "StatusInterval", "AuditEntry", "Subscriber", "Interest"}
    left = {
        "Event",  # was told already
        "Draft",  # is not said yet; its author may publish it before the move
        "Proposal",  # repeats a request to this installation; approve or reject it before the move
        *("Delivery", "DeliveryTotal"),  # what was sent from here
        *("Bounce", "Suppression"),  # of this install's mail server
        "EmailRequest",  # not sent yet
        "MailTest",
        "StaffNotice",  # was mailed from here; the new place reminds of what is silent there
        "Heartbeat",
        *("ChannelState", "Publication", "Installation"),  # of this install
    }
    models = {model.__name__ for label in APPS for model in apps.get_app_config(label).get_models()}
    assert models == exported | left
    assert {"id", "submission_key"} == INTERNAL


def test_reading_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    page = make_page()
    make_resolved(page, components={make_component(page, group=make_group(page)): "major_outage"})
    export(page, tmp_path / "page.jsonl")
    forget_everything()
    assert load(tmp_path / "page.jsonl").code == 0
    before = [list(model._default_manager.order_by("pk").values()) for model in (Page, Incident, AuditEntry, Event)]
    ran = load(tmp_path / "page.jsonl")
    assert (ran.code, ran.row("incidents")["unchanged"], ran.row("incidents")["created"]) == (0, 1, 0)
    after = [list(model._default_manager.order_by("pk").values()) for model in (Page, Incident, AuditEntry, Event)]
    assert before == after


def test_a_file_cannot_bring_html_that_does_something(tmp_path: Path) -> None:
    page = make_page()
    incident = make_resolved(page)
    old = {"body": "Old", "change_html": "", "actor_label": "Ada"}
    Revision.objects.create(update=incident.updates.all()[0], **old)
    postmortem = Postmortem.objects.create(incident=incident, body="Why")
    Revision.objects.create(postmortem=postmortem, **old)
    lines = export(page, tmp_path / "page.jsonl")
    number = next(n for n, line in enumerate(lines) if json.loads(line)["type"] == "incident")
    raw = json.loads(lines[number])
    texts = [*raw["updates"], raw["postmortem"]]
    for text in texts:
        text["body_html"] = ACTIVE
        for revision in text["revisions"]:
            revision["change_html"] = ACTIVE
    lines[number] = json.dumps(raw)
    (tmp_path / "page.jsonl").write_text("\n".join(lines), encoding="utf-8")
    forget_everything()

    assert load(tmp_path / "page.jsonl").code == 0

    stored = [*IncidentUpdate.objects.values_list("body_html", flat=True)]
    stored += [*Postmortem.objects.values_list("body_html", flat=True)]
    stored += [*Revision.objects.values_list("change_html", flat=True)]
    assert stored == [HARMLESS] * (len(texts) + 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"content": "PHN2Zz48L3N2Zz4="}, "SVG files are not accepted"),
        ({"content": "é"}, "its content is not base64"),
        ({"ground": "green"}, "its ground is neither light nor dark"),
    ],
)
def test_a_logo_that_is_no_picture_is_left_out(tmp_path: Path, change: dict[str, str], message: str) -> None:
    page = make_page()
    logos.set_logo(page, logo=A_LOGO, actor=ALICE)
    path = tmp_path / "page.jsonl"
    lines = export(page, path)
    number = next(n for n, line in enumerate(lines) if json.loads(line)["type"] == "logo")
    lines[number] = json.dumps(json.loads(lines[number]) | change)
    path.write_text("\n".join(lines), encoding="utf-8")
    forget_everything()
    ran = load(path)
    assert ran.code == 3
    assert message in ran.output
    assert Page.objects.get().logo is None


def test_secrets_and_the_addresses_of_hooks_are_written_only_when_asked_for(tmp_path: Path) -> None:
    page = make_page()
    hook = make_endpoint(page, "https://hooks.example.com/a")
    make_endpoint(page, "https://hooks.slack.example/T0/secret", Channel.SLACK)
    make_subscriber_with(page, "ada@example.com")
    text = "\n".join(export(page, tmp_path / "page.jsonl"))
    assert "ada@example.com" in text
    assert hook.secret not in text
    assert "hooks." not in text
    assert hook.secret in "\n".join(export(page, tmp_path / "all.jsonl", "--with-secrets"))
    forget_everything()
    ran = load(tmp_path / "page.jsonl")
    assert (ran.code, ran.row("subscribers")["skipped"]) == (3, 2)
    assert "export it with --with-secrets" in ran.output
    assert [subscriber.email for subscriber in Subscriber.objects.all()] == ["ada@example.com"]


def test_nobody_is_told_of_what_comes_back(tmp_path: Path) -> None:
    page = make_page()
    make_subscriber_with(page)
    make_incident(page)
    export(page, tmp_path / "page.jsonl")
    forget_everything()
    assert load(tmp_path / "page.jsonl").code == 0
    assert not Delivery.objects.exists()
    assert [(event.notify, event.fanned_out_at is None) for event in Event.objects.all()] == [(False, False)]


def cut(lines: list[str]) -> list[str]:
    return [*lines[:-2], lines[-2][: len(lines[-2]) // 2]]


def test_a_file_that_breaks_off_is_read_as_far_as_it_goes_and_said_to_be_incomplete(tmp_path: Path) -> None:
    page = make_page()
    make_incident(page)
    path = tmp_path / "page.jsonl"
    path.write_text("\n".join(cut(export(page, path))), encoding="utf-8")
    forget_everything()
    ran = load(path)
    assert ran.code == 3
    assert "it is not JSON" in ran.output
    assert "ends after line" in ran.output
    assert Incident.objects.count() == 1


def break_status(raw: dict[str, Any]) -> None:
    raw["status"] = "on fire"


def break_time(raw: dict[str, Any]) -> None:
    raw["started_at"] = "yesterday"


def lose_updates(raw: dict[str, Any]) -> None:
    del raw["updates"]


def break_component(raw: dict[str, Any]) -> None:
    raw["updates"][0]["affected"] = [{"component": "nowhere", "old_status": "operational", "new_status": "operational"}]


def lose_title(raw: dict[str, Any]) -> None:
    del raw["title"]


def make_title_a_list(raw: dict[str, Any]) -> None:
    raw["updates"] = 7


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_status, "its status “on fire” is not valid"),
        (break_time, "“yesterday” value has an invalid format"),
        (lose_updates, "its updates is missing"),
        (break_component, "the file does not contain its components nowhere"),
        (lose_title, "its title is missing"),
        (make_title_a_list, "it is not valid"),
    ],
)
def test_a_damaged_line_is_named_and_the_rest_comes_over(
    tmp_path: Path, damage: Callable[[dict[str, Any]], None], message: str
) -> None:
    page = make_page()
    make_incident(page, title="Damaged")
    make_incident(page, title="Whole")
    path = tmp_path / "page.jsonl"
    lines = export(page, path)
    number = next(n for n, line in enumerate(lines) if '"title":"Damaged"' in line)
    raw = json.loads(lines[number])
    damage(raw)
    lines[number] = json.dumps(raw)
    path.write_text("\n".join(lines), encoding="utf-8")
    forget_everything()
    ran = load(path)
    assert ran.code == 3
    assert f"line {number + 1}, incident" in ran.output
    assert message in ran.output
    assert [incident.title for incident in Incident.objects.all()] == ["Whole"]
    assert IncidentUpdate.objects.count() == 1


@pytest.mark.parametrize("text", ["", "[]\n", '{"type": "page"}\n', "<html>", '{"type":"candor-export","format":9}\n'])
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "page.jsonl"
    path.write_text(text, encoding="utf-8")
    ran = load(path)
    assert ran.code == 1
    assert str(path) in ran.error
    assert not Page.objects.exists()


def test_a_file_that_is_not_there_and_a_page_that_is_not_there_are_said_to_be_missing(tmp_path: Path) -> None:
    assert "No such file" in load(tmp_path / "nothing").error
    with pytest.raises(CommandError, match="No page has the ID “nope”"):
        call_command("export_page", "nope", str(tmp_path / "x"))


def test_an_export_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    export(make_page(), tmp_path / "page.jsonl")
    assert (tmp_path / "page.jsonl").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["page.jsonl"]
