"""A database that does not belong to the published files: nothing is published or sent until an operator decides."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from incidents.models import Event, Incident, Page
from statuspage.accounts.models import User
from statuspage.dispatcher.loop import Dispatcher, drain
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery, Installation, Mismatch
from statuspage.notifications.worker import deliver_due
from statuspage.public import published_paths
from statuspage.publishing import identity
from statuspage.publishing.identity import Verdict
from statuspage.publishing.publisher import Publisher
from tests.factories import make_incident, make_page, make_subscriber
from tests.publishing.folders import published

pytestmark = pytest.mark.django_db


def publish() -> None:
    """One round of the publisher."""
    Publisher(Dispatcher().stop, published_paths).tick()


def files() -> dict[str, bytes]:
    """All published files by name."""
    folder = Path(settings.PUBLISHED_DIR)
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.fixture
def restored(page: Page) -> Incident:
    """A page whose last incident is published, then lost by restoring a backup. Its id was given again."""
    publish()
    lost = make_incident(page, title="Lost outage")
    publish()
    number = Event.objects.newest_of(page)
    lost_copy = Incident.objects.get(pk=lost.pk)
    lost.delete()
    new = make_incident(page, title="Another outage")
    Event.objects.filter(incident=new).update(id=number)
    return lost_copy


def test_the_newest_event_is_noted_before_it_is_published(page: Page) -> None:
    publish()
    incident = make_incident(page)
    publish()
    record = json.loads((Path(settings.PUBLISHED_DIR) / "install.json").read_text(encoding="utf-8"))
    event = Event.objects.get(incident=incident)
    assert record == {
        "install": Installation.objects.current().key,
        "events": {page.public_id: [event.pk, event.public_key]},
    }


def test_after_a_restore_nothing_is_published_or_sent(page: Page, restored: Incident) -> None:
    make_subscriber(page, "ada@example.com")
    make_incident(page, title="Since the restore")
    fan_out_waiting()
    before = files()
    publish()
    assert Dispatcher().tick() is False
    assert drain() == deliver_due("email") == 0
    assert files() == before
    assert Installation.objects.current().mismatch == Mismatch.RESTORED
    assert {delivery.state for delivery in Delivery.objects.all()} == {"queued"}


@pytest.mark.parametrize("command", ["publish", "dispatch"])
def test_commands_refuse_with_the_reason(restored: Incident, command: str) -> None:
    with pytest.raises(CommandError, match=r"a backup was restored.*adopt_published"):
        call_command(command, *(["--once"] if command == "dispatch" else []))


def test_keeping_the_database_publishes_everything_again(page: Page, restored: Incident) -> None:
    publish()
    call_command("adopt_published", keep="database")
    texts = published(page)
    assert f"/incidents/{restored.public_id}" not in texts
    assert not [path for path, text in texts.items() if "Lost outage" in text]
    assert "Another outage" in texts["/"]
    assert "Another outage" in texts["/history.atom"]
    publish()
    assert identity.check() is Verdict.MATCHES


def test_another_machine_publishes_everything_again_after_the_decision(
    page: Page, restored: Incident, tmp_path: Path, settings: Any
) -> None:
    here = settings.PUBLISHED_DIR
    call_command("adopt_published", keep="database") if identity.check() is Verdict.UNDECIDED else None
    record = json.loads((here / "install.json").read_text(encoding="utf-8"))
    record["install"] = Installation.objects.current().former_keys[0]
    (here / "install.json").write_text(json.dumps(record), encoding="utf-8")
    assert identity.check() is Verdict.REBUILD
    publish()
    assert identity.check() is Verdict.MATCHES


def test_keeping_the_published_pages_changes_no_file_and_no_row(page: Page, restored: Incident) -> None:
    publish()
    before, rows = files(), (Event.objects.count(), Incident.objects.count())
    call_command("adopt_published", keep="published")
    publish()
    make_incident(page)
    publish()
    assert files() == before
    assert (Event.objects.count() - 1, Incident.objects.count() - 1) == rows
    assert not Installation.objects.is_held()
    call_command("adopt_published", keep="database")
    assert files() != before


def test_nothing_is_created_in_an_empty_database(page: Page) -> None:
    publish()
    before = files()
    Event.objects.all().delete()
    Page.objects.all().delete()
    Installation.objects.all().delete()
    call_command("setup")
    publish()
    assert not Page.objects.exists()
    assert not User.objects.exists()
    assert files() == before
    assert Installation.objects.current().mismatch == Mismatch.EMPTY_DATABASE
    with pytest.raises(CommandError, match="contains no page"):
        call_command("adopt_published", keep="database")


def test_the_folder_of_another_installation_is_left_alone(page: Page) -> None:
    publish()
    before = files()
    Page.objects.all().delete()
    make_page(public_id="other1")
    Installation.objects.all().delete()
    publish()
    assert files() == before
    assert Installation.objects.current().mismatch == Mismatch.OTHER_INSTALL


def test_an_earlier_version_is_adopted_only_if_everything_matches(page: Page) -> None:
    make_incident(page)
    publish()
    record = Path(settings.PUBLISHED_DIR) / "install.json"
    record.unlink()
    assert identity.check() is Verdict.MATCHES
    assert record.exists()
    record.unlink()
    Event.objects.all().delete()
    assert identity.check() is Verdict.UNDECIDED


def test_pruned_events_are_no_restore(page: Page) -> None:
    make_incident(page)
    publish()
    record = Path(settings.PUBLISHED_DIR) / "install.json"
    old = Event.objects.newest_of(page)
    make_incident(page)
    Event.objects.filter(pk__lte=old).delete()
    assert identity.check() is Verdict.MATCHES
    assert record.exists()


def test_with_nothing_to_decide_the_command_says_so(page: Page) -> None:
    publish()
    with pytest.raises(CommandError, match="Nothing to decide"):
        call_command("adopt_published", keep="database")


def test_a_check_takes_few_queries(page: Page, django_assert_max_num_queries: Any) -> None:
    publish()
    with django_assert_max_num_queries(4):
        identity.check()
