"""Who views a page. HTML, JSON, feeds, emails and search all filter with `visible_to(viewer)`."""

from enum import Enum


class Viewer(Enum):
    PUBLIC = "public"
    STAFF = "staff"
