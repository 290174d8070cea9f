"""Responds with 503 if a password could not be hashed because others are being hashed."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from statuspage.accounts.hashing import HashingBusyError

RETRY_SECONDS = 5


class HashingLimitMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, HashingBusyError):
            return None
        response = render(request, "account/busy.html", {"message": exception.message}, status=503)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
