from django.urls import path

from statuspage.console.incidents import (
    correction_views,
    delivery_views,
    draft_views,
    follow_up_views,
    update_views,
    views,
)

urlpatterns = [
    path("preview", draft_views.preview, name="preview"),
    path("drafts/save/<slug:step>", draft_views.save_draft, name="save_declaration"),
    path("drafts/<slug:public_id>", draft_views.draft, name="draft"),
    path("drafts/<slug:public_id>/act", draft_views.act_on_draft, name="act_on_draft"),
    path("drafts/<slug:public_id>/mail", draft_views.draft_mail, name="draft_mail"),
    path("incidents/<slug:public_id>/draft/<slug:step>", draft_views.save_draft, name="save_draft"),
    path("incidents/<slug:public_id>/presence", draft_views.presence, name="presence"),
    path("incidents", views.incident_list, name="incidents"),
    path("incidents/new", views.declare, name="declare"),
    path("incidents/past", correction_views.backfill, name="backfill"),
    path("incidents/<slug:public_id>/correct", correction_views.correct_incident, name="correct_incident"),
    path("incidents/<slug:public_id>/merge", correction_views.merge_incident, name="merge_incident"),
    path("incidents/<slug:public_id>/delete", correction_views.delete_incident, name="delete_incident"),
    path("incidents/<slug:public_id>/restore", correction_views.restore_incident, name="restore_incident"),
    path("updates/<slug:public_id>/components", correction_views.correct_components, name="correct_components"),
    path("components/<slug:public_id>/history", correction_views.component_history, name="component_history"),
    path("incidents/<slug:public_id>", views.incident, name="incident"),
    path("incidents/<slug:public_id>/update", update_views.post_update, name="post_update"),
    path("incidents/<slug:public_id>/resolve", update_views.resolve, name="resolve"),
    path("incidents/<slug:public_id>/reopen", update_views.reopen, name="reopen"),
    path("updates/<slug:public_id>/edit", update_views.edit_update, name="edit_update"),
    path("incidents/<slug:public_id>/deliveries", delivery_views.deliveries, name="deliveries"),
    path("incidents/<slug:public_id>/deliveries/retry", delivery_views.retry, name="retry_deliveries"),
    path("audience", delivery_views.audience, name="audience"),
    path("incidents/<slug:public_id>/follow-up", follow_up_views.follow_up, name="follow_up"),
]
