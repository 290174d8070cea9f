from statuspage.api.schemas.parts import Answered, Asked, Text


class PostmortemOut(Answered):
    preview_key: str | None = None
    body: str | None
    body_updated_at: str | None
    body_draft: str | None
    body_draft_updated_at: str | None
    published_at: str | None
    notify_subscribers: bool
    notify_twitter: bool = False
    custom_tweet: str | None = None
    created_at: str
    updated_at: str


class DraftIn(Asked):
    body_draft: Text


class DraftBody(Asked):
    postmortem: DraftIn


class PublishIn(Asked):
    notify_subscribers: bool = False


class PublishBody(Asked):
    postmortem: PublishIn = PublishIn()
