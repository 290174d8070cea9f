"""The web process: granian serves this. Published pages are answered before Django, and without a database."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "statuspage.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from statuspage.frontdoor import FrontDoor

application = FrontDoor(settings.PUBLISHED_DIR, get_wsgi_application())
