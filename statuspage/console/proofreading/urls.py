from django.urls import path

from statuspage.console.proofreading import views

urlpatterns = [
    path("remarks", views.remarks, name="remarks"),
    path("proofreading", views.proofreading, name="proofreading"),
]
