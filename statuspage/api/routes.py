"""What the gate leads to: not part of the site's own URLs, so that nothing gets past it."""

from django.urls import path

from statuspage.api import operations as operations
from statuspage.api.service import api

urlpatterns = [path("", api.urls)]
