"""Views marked with `accepts_files` read files. Elsewhere a file is rejected before anything is stored."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponseBase

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class FileRejected(SuspiciousOperation):
    """A form without a file field got a file. Django responds with 400."""


class RejectFiles(FileUploadHandler):
    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FileRejected("This form accepts no files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


def accepts_files(view: View) -> View:
    view.accepts_files = True  # type: ignore[attr-defined]
    return view


class UploadMiddleware:
    """Before CsrfViewMiddleware, which reads the form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: Any) -> None:
        if request.content_type != "multipart/form-data" or getattr(view, "accepts_files", False):
            return
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("The request is too large.")
        request.upload_handlers = [RejectFiles(request)]
