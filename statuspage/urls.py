from django.urls import include, path

handler400 = "statuspage.public.views.bad_request"
handler404 = "statuspage.public.views.not_found"
handler500 = "statuspage.public.views.server_error"

urlpatterns = [
    path("", include("statuspage.subscribers.urls")),
    path("", include("statuspage.notifications.urls")),
    path("v1/", include("statuspage.api.urls")),
    path("", include("statuspage.monitoring.urls")),
    path("", include("statuspage.public.urls")),
    path("console/", include("statuspage.console.urls")),
    path("accounts/", include("statuspage.accounts.urls")),
]
