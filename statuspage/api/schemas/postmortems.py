from statuspage.api.schemas.parts import RequestModel, ResponseModel, Text


class PostmortemOut(ResponseModel):
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


class DraftIn(RequestModel):
    body_draft: Text


class DraftBody(RequestModel):
    postmortem: DraftIn


class PublishIn(RequestModel):
    notify_subscribers: bool = False


class PublishBody(RequestModel):
    postmortem: PublishIn = PublishIn()
