"""The WSGI application of the web process. Published pages are served before Django, without a database."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "statuspage.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from statuspage.common.database_limits import limit_database_waits
from statuspage.frontdoor import FrontDoor

application = FrontDoor(settings.PUBLISHED_DIR, get_wsgi_application())
limit_database_waits()
