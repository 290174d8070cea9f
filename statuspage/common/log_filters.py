import logging


class WithoutRejectedRequests(logging.Filter):
    """Drops the tracebacks of requests that Django rejects, such as those with an invalid Host header.

    The view of the 400 response logs one line for each.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.name.startswith("django.security.") and record.exc_info)
