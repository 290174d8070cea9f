import re
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import pytest
from django.conf import LazySettings
from django.utils import timezone
from django.utils.html import escape

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident, Page
from tests.factories import ALICE, make_incident, make_page, make_resolved, post
from tests.public.parsed_page import get, parse

pytestmark = pytest.mark.django_db


def text_of(path: str) -> str:
    return get(path).content.decode()


def feed(path: str) -> Any:
    parsed = feedparser.parse(get(path).content, response_headers={"content-type": get(path)["Content-Type"]})
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed


@pytest.fixture
def page(settings: LazySettings) -> Page:
    settings.SITE_URL = "https://status.acme.example"
    return make_page()


def make_resolved_incident(page: Page) -> Incident:
    at = datetime(2024, 6, 5, 17, 22, tzinfo=UTC)
    incident = make_incident(page, title="Incident with Issues", body="We are investigating.\nMore soon.", at=at)
    incident_lifecycle.resolve(
        incident, UpdateInput(body="It is resolved.", at=at + timedelta(hours=2)), restore=None, actor=ALICE
    )
    Incident.objects.filter(pk=incident.pk).update(updated_at=at + timedelta(days=1))
    return incident


def paragraph(time: str, label: str, text: str, *, gap: str = "") -> str:
    """As it stands in the feed: HTML, escaped once."""
    day = f"Jun <var data-var='date'> 5</var>, <var data-var='time'>{time}</var> UTC"
    return escape(f"<p>{gap}<small>{day}</small><br>{gap}<strong>{label}</strong> - {text}</p>")


def test_the_atom_feed_has_the_shape_that_readers_know(page: Page) -> None:
    incident = make_resolved_incident(page)
    content = paragraph("19:22", "Resolved", "It is resolved.") + paragraph(
        "17:22", "Investigating", "We are investigating.<br />More soon."
    )
    updated = re.search("<updated>(.*?)</updated>", text_of("/history.atom"))
    assert updated
    assert (
        text_of("/history.atom")
        == f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xml:lang="en-US" xmlns="http://www.w3.org/2005/Atom">
  <id>tag:status.acme.example,2005:/history</id>
  <link rel="alternate" type="text/html" href="https://status.acme.example"/>
  <link rel="self" type="application/atom+xml" href="https://status.acme.example/history.atom"/>
  <title>Acme Status - Incident History</title>
  <updated>{updated.group(1)}</updated>
  <author>
    <name>Acme</name>
  </author>
  <entry>
    <id>tag:status.acme.example,2005:Incident/{incident.pk}</id>
    <published>2024-06-05T19:22:00Z</published>
    <updated>2024-06-06T17:22:00Z</updated>
    <link rel="alternate" type="text/html" href="https://status.acme.example/incidents/{incident.public_id}"/>
    <title>Incident with Issues</title>
    <content type="html">{content}</content>
  </entry>
</feed>
"""
    )


def test_the_rss_feed_has_the_shape_that_readers_know(page: Page) -> None:
    incident = make_resolved_incident(page)
    content = paragraph("19:22", "Resolved", "It is resolved.", gap=" ") + paragraph(
        "17:22", "Investigating", "We are investigating.<br />More soon.", gap=" "
    )
    text = text_of("/history.rss")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/')
    assert (
        f"""    <item>
      <title>Incident with Issues</title>
      <description>
{content}      </description>
      <pubDate>Wed, 05 Jun 2024 19:22:00 +0000</pubDate>
      <link>https://status.acme.example/incidents/{incident.public_id}</link>
      <guid>https://status.acme.example/incidents/{incident.public_id}</guid>
    </item>
"""
        in text
    )


@pytest.mark.parametrize("path", ["/history.atom", "/history.rss"])
def test_a_reader_understands_the_feed(page: Page, path: str) -> None:
    incident = make_resolved_incident(page)
    parsed = feed(path)
    assert parsed.feed.title == "Acme Status - Incident History"
    (entry,) = parsed.entries
    assert entry.title == "Incident with Issues"
    assert entry.link == f"https://status.acme.example/incidents/{incident.public_id}"
    assert tuple(entry.published_parsed[:5]) == (2024, 6, 5, 19, 22)
    assert "We are investigating.<br />More soon." in entry.description.replace("<br>", "<br />")


@pytest.mark.parametrize("path", ["/history.atom", "/history.rss"])
def test_a_feed_without_incidents_is_still_a_feed(page: Page, path: str) -> None:
    assert feed(path).entries == []


@pytest.mark.parametrize("path", ["/history.atom", "/history.rss"])
def test_only_the_twenty_five_newest_are_listed_newest_first(page: Page, path: str) -> None:
    now = timezone.now()
    for number in range(26):
        make_incident(page, title=f"Incident {number}", at=now - timedelta(hours=number))
    assert [entry.title for entry in feed(path).entries] == [f"Incident {number}" for number in range(25)]


def test_a_published_postmortem_comes_first_with_its_time(page: Page) -> None:
    incident = make_resolved_incident(page)
    published = datetime(2024, 6, 7, 9, 30, tzinfo=UTC)
    text = "It was us.\n\nWe learned.\n\n## Going forward\n\n1. Upgrade the client."
    postmortem_lifecycle.publish(incident, body=text, actor=ALICE, at=published)
    (entry,) = feed("/history.atom").entries
    html = entry.content[0].value
    read = parse(html)
    assert read.text.startswith("Jun 7, 09:30 UTCPostmortem - It was us.We learned.Going forward")
    assert read.one("li").text == "Upgrade the client."
    assert html.index("Upgrade the client.") < html.index("It is resolved.")


def test_times_in_the_text_are_those_of_the_pages_zone(page: Page) -> None:
    Page.objects.filter(pk=page.pk).update(time_zone="Asia/Tokyo")
    make_resolved_incident(page)
    assert "Jun &lt;var data-var=&#x27;date&#x27;&gt; 6" in text_of("/history.atom")


def test_lists_and_code_come_after_the_line_of_their_label(page: Page) -> None:
    make_incident(page, body="Two things:\n\n- one\n- two\n\nThat is all.")
    make_incident(page, body="```\na < b\n```")
    with_public_id, with_list = (entry.content[0].value for entry in feed("/history.atom").entries)
    assert "<strong>Investigating</strong> - Two things:</p>" in with_list
    assert parse(with_list).text.endswith("Two things: one two That is all.")
    assert parse(with_public_id).one("code").text == "a < b"


def test_hostile_texts_cannot_break_the_feed(page: Page) -> None:
    Page.objects.filter(pk=page.pk).update(name="A <b> & ]]> \"'")
    make_incident(page, title="<script>alert(1)</script> & ]]>", body="1 < 2 && 3 > 2 ]]> &amp;")
    Incident.objects.update(title="<script>alert(1)</script> & ]]> \x0b\x1f\ufffe")
    for path in ("/history.atom", "/history.rss"):
        assert len(feed(path).entries) == 1
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; ]]&gt;" in text_of(path)
        assert "1 &amp;lt; 2 &amp;amp;&amp;amp; 3 &amp;gt; 2" in text_of(path)
        assert "<title>A &lt;b&gt; &amp; ]]&gt;" in text_of(path)


def test_feeds_say_what_they_are(page: Page) -> None:
    assert get("/history.atom")["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert get("/history.rss")["Content-Type"] == "application/rss+xml; charset=utf-8"


def test_links_are_built_from_the_pages_own_host_and_not_from_the_request(page: Page) -> None:
    Page.objects.filter(pk=page.pk).update(domain="status.example.org")
    make_resolved_incident(page)
    text = get("/history.atom", host="evil.example").content.decode()
    assert "evil" not in text
    assert "https://status.example.org/incidents/" in text


def test_pages_name_their_feeds(page: Page) -> None:
    incident = make_resolved_incident(page)
    for path in ("/", "/history", f"/incidents/{incident.public_id}"):
        document = parse(text_of(path))
        types = {link.attributes["type"]: link.attributes["href"] for link in document.all("link", rel="alternate")}
        atom, rss = {"application/atom+xml": "/history.atom"}, {"application/rss+xml": "/history.rss"}
        assert types == atom | rss | {"application/feed+json": "/feed.json"}


def test_an_update_moves_its_incident_up(page: Page) -> None:
    now = timezone.now()
    first = make_incident(page, title="First", at=now - timedelta(hours=3))
    make_resolved(page, title="Second", at=now - timedelta(hours=2), until=now - timedelta(hours=1))
    post(first)
    assert [entry.title for entry in feed("/history.atom").entries] == ["First", "Second"]
