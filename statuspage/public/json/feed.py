"""The incident history as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/). Statuspage does not have it."""

from incidents.models import Page
from incidents.statuspage_json import Json
from incidents.templatetags.candor import site_name
from incidents.text.wording import machine_time
from statuspage.public.feeds import FeedEntry, incident_feed

CONTENT_TYPE = "application/feed+json; charset=utf-8"


def json_feed(page: Page, *, url: str) -> Json:
    """Return the entries of the Atom feed. `date_published` is when the incident began, and does not change."""
    feed = incident_feed(page)
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home_url,
        "feed_url": url,
        "description": f"Incidents and maintenances as {site_name(page)} tells them.",
        "authors": [{"name": feed.author, "url": feed.home_url}],
        "language": "en",
        "items": [_item(entry) for entry in feed.entries],
    }


def _item(entry: FeedEntry) -> Json:
    return {
        "id": entry.url,
        "url": entry.url,
        "title": entry.title,
        "content_html": entry.content,
        "date_published": machine_time(entry.began_at),
        "date_modified": machine_time(max(entry.published_at, entry.updated_at)),
    }
