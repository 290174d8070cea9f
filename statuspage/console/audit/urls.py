from django.urls import path

from statuspage.console.audit import views

urlpatterns = [
    path("audit", views.audit, name="audit"),
    path("audit.csv", views.audit_csv, name="audit_csv"),
]
