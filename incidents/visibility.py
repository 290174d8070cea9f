"""The one visibility rule: who is looking. HTML, JSON, feeds, mail and search all ask `visible_to(viewer)`."""

from enum import Enum


class Viewer(Enum):
    PUBLIC = "public"
    STAFF = "staff"
