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
    path("drafts/<slug:code>", draft_views.draft, name="draft"),
    path("drafts/<slug:code>/act", draft_views.act_on_draft, name="act_on_draft"),
    path("drafts/<slug:code>/mail", draft_views.draft_mail, name="draft_mail"),
    path("incidents/<slug:code>/draft/<slug:step>", draft_views.save_draft, name="save_draft"),
    path("incidents/<slug:code>/presence", draft_views.presence, name="presence"),
    path("incidents", views.incident_list, name="incidents"),
    path("incidents/new", views.declare, name="declare"),
    path("incidents/past", correction_views.backfill, name="backfill"),
    path("incidents/<slug:code>/correct", correction_views.correct_incident, name="correct_incident"),
    path("incidents/<slug:code>/merge", correction_views.merge_incident, name="merge_incident"),
    path("incidents/<slug:code>/delete", correction_views.delete_incident, name="delete_incident"),
    path("incidents/<slug:code>/restore", correction_views.restore_incident, name="restore_incident"),
    path("updates/<slug:code>/components", correction_views.correct_components, name="correct_components"),
    path("components/<slug:code>/history", correction_views.component_history, name="component_history"),
    path("incidents/<slug:code>", views.incident, name="incident"),
    path("incidents/<slug:code>/update", update_views.post_update, name="post_update"),
    path("incidents/<slug:code>/resolve", update_views.resolve, name="resolve"),
    path("incidents/<slug:code>/reopen", update_views.reopen, name="reopen"),
    path("updates/<slug:code>/edit", update_views.edit_update, name="edit_update"),
    path("incidents/<slug:code>/deliveries", delivery_views.deliveries, name="deliveries"),
    path("incidents/<slug:code>/deliveries/retry", delivery_views.retry, name="retry_deliveries"),
    path("audience", delivery_views.audience, name="audience"),
    path("incidents/<slug:code>/follow-up", follow_up_views.follow_up, name="follow_up"),
]
