"""An S3-compatible bucket. A key is the path that visitors request, so the bucket needs no rewrite rules.

Objects are stored uncompressed: a bucket ignores Accept-Encoding, so clients without support for a compression would
receive it too. The CDN in front of the bucket compresses.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from statuspage.publishing.targets.base import INVENTORY, Item, Target, TargetConfigError

if TYPE_CHECKING:
    from obstore.store import S3Store

# Response headers that a bucket can store. The CDN adds all others (docs/deploy.md).
SENT = ("Content-Type", "Cache-Control", "Content-Disposition")
# For one request. Whatever fails is tried again later.
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

    def remove(self, path: str) -> None:
        import obstore

        # S3 reports no error for a missing object; compatible services may.
        try:
            obstore.delete(self.store, _key(path))
        except FileNotFoundError:
            return

    def has_inventory(self) -> bool:
        import obstore

        try:
            obstore.head(self.store, INVENTORY)
        except FileNotFoundError:
            return False
        return True

    def read_inventory(self) -> bytes | None:
        import obstore

        try:
            return bytes(obstore.get(self.store, INVENTORY).bytes())
        except FileNotFoundError:
            return None

    def write_inventory(self, content: bytes) -> None:
        import obstore

        attributes = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        obstore.put(self.store, INVENTORY, content, attributes=attributes, use_multipart=False)


def bucket(url: SplitResult, page: str, options: dict[str, str]) -> Bucket:
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise TargetConfigError("s3:// needs the package obstore: pip install 'candor-statuspage[s3]'.") from error
    if not url.netloc:
        raise TargetConfigError("Enter a bucket as s3://my-bucket or s3://my-bucket/folder.")
    endpoint, region = options.pop("endpoint", None), options.pop("region", None)
    if options:
        raise TargetConfigError(f"Unknown option “{next(iter(options))}” of s3://. Use endpoint, region or page.")
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
