"""An S3-compatible bucket. A key is the path that visitors ask for, so that the bucket answers without any rules.

Objects are stored uncompressed: a bucket does not look at Accept-Encoding, so what is compressed would reach readers
who cannot unpack it. The CDN in front of it compresses by itself.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from statuspage.publishing.targets.base import INVENTORY, Item, Target, TargetConfigError

if TYPE_CHECKING:
    from obstore.store import S3Store

# What a bucket can be told to send. All others are for the CDN to add (docs/deploy.md).
SENT = ("Content-Type", "Cache-Control", "Content-Disposition")
# One request; what fails is tried again later, with all else that has changed by then.
TIMEOUT = "20s"
RETRIES = 2


class Bucket(Target):
    def __init__(self, name: str, page: str, store: S3Store) -> None:
        super().__init__(name, page)
        self.store = store

    def put(self, item: Item) -> None:
        import obstore

        attributes = {name: item.headers[name] for name in SENT if name in item.headers}
        obstore.put(self.store, _key(item.path), item.file.read_bytes(), attributes=attributes, use_multipart=False)

    def drop(self, path: str) -> None:
        import obstore

        # S3 says nothing of what was not there; others of its kind do.
        try:
            obstore.delete(self.store, _key(path))
        except FileNotFoundError:
            return

    def has_notes(self) -> bool:
        import obstore

        try:
            obstore.head(self.store, INVENTORY)
        except FileNotFoundError:
            return False
        return True

    def read_notes(self) -> bytes | None:
        import obstore

        try:
            return bytes(obstore.get(self.store, INVENTORY).bytes())
        except FileNotFoundError:
            return None

    def write_notes(self, notes: bytes) -> None:
        import obstore

        attributes = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        obstore.put(self.store, INVENTORY, notes, attributes=attributes, use_multipart=False)


def bucket(url: SplitResult, page: str, options: dict[str, str]) -> Bucket:
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise TargetConfigError("s3:// needs the package obstore: pip install 'candor-statuspage[s3]'.") from error
    if not url.netloc:
        raise TargetConfigError("A bucket is named like s3://my-bucket, or s3://my-bucket/folder.")
    endpoint, region = options.pop("endpoint", None), options.pop("region", None)
    if options:
        raise TargetConfigError(f"s3:// knows no option “{next(iter(options))}”; there are endpoint, region and page.")
    settings = {"endpoint": endpoint, "region": region}
    store = S3Store(
        url.netloc,
        prefix=url.path.strip("/") or None,
        client_options={
            "timeout": TIMEOUT,
            "connect_timeout": "5s",
            "allow_http": (endpoint or "").startswith("http:"),
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=60)},
        disable_bulk_delete=True,
        **{name: value for name, value in settings.items() if value},  # type: ignore[arg-type]
    )
    return Bucket(f"s3://{url.netloc}{url.path.rstrip('/')}", page, store)


def _key(path: str) -> str:
    return path.strip("/") or "index.html"
