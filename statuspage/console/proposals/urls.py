from django.urls import path

from statuspage.console.proposals import views

urlpatterns = [
    path("proposals/<slug:public_id>", views.proposal, name="proposal"),
    path("proposals/<slug:public_id>/act", views.act_on_proposal, name="act_on_proposal"),
]
