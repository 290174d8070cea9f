from django.urls import path

from statuspage.console import command_views, dashboard
from statuspage.console.audit import views as audit_views
from statuspage.console.channels import mail_test_views, mail_views
from statuspage.console.channels import views as channels_views
from statuspage.console.components import component_order
from statuspage.console.components import views as components_views
from statuspage.console.incident_templates import views as incident_templates_views
from statuspage.console.incidents import correction_views, delivery_views, draft_views, follow_up_views, update_views
from statuspage.console.incidents import views as incidents_views
from statuspage.console.maintenances import series_views
from statuspage.console.maintenances import views as maintenances_views
from statuspage.console.people import account_views
from statuspage.console.people import views as people_views
from statuspage.console.postmortems import export_views
from statuspage.console.postmortems import views as postmortems_views
from statuspage.console.proofreading import views as proofreading_views
from statuspage.console.reports import views as reports_views
from statuspage.console.settings import publishing_views, rules_views, token_views, uptime_views
from statuspage.console.settings import views as settings_views
from statuspage.console.subscribers import csv_views
from statuspage.console.subscribers import views as subscribers_views

app_name = "console"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("preview", draft_views.preview, name="preview"),
    path("remarks", proofreading_views.remarks, name="remarks"),
    path("commands", command_views.commands, name="commands"),
    path("presets", incident_templates_views.incident_template_list, name="presets"),
    path("presets/new", incident_templates_views.new_incident_template, name="new_preset"),
    path("presets/stock", incident_templates_views.add_built_in_templates, name="add_stock"),
    path("presets/<slug:code>", incident_templates_views.edit_incident_template, name="edit_preset"),
    path("presets/<slug:code>/delete", incident_templates_views.delete_incident_template, name="delete_preset"),
    path("rules", rules_views.rules, name="rules"),
    path("rules/reminders", rules_views.staff_reminders, name="staff_reminders"),
    path("drafts/save/<slug:step>", draft_views.save_draft, name="save_declaration"),
    path("drafts/<slug:code>", draft_views.draft, name="draft"),
    path("drafts/<slug:code>/act", draft_views.act_on_draft, name="act_on_draft"),
    path("drafts/<slug:code>/mail", draft_views.draft_mail, name="draft_mail"),
    path("incidents/<slug:code>/draft/<slug:step>", draft_views.save_draft, name="save_draft"),
    path("incidents/<slug:code>/presence", draft_views.presence, name="presence"),
    path("components/<slug:code>/status", dashboard.set_component_status, name="component_status"),
    path("incidents", incidents_views.incident_list, name="incidents"),
    path("incidents/new", incidents_views.declare, name="declare"),
    path("incidents/past", correction_views.backfill, name="backfill"),
    path("incidents/<slug:code>/correct", correction_views.correct_incident, name="correct_incident"),
    path("incidents/<slug:code>/merge", correction_views.merge_incident, name="merge_incident"),
    path("incidents/<slug:code>/delete", correction_views.delete_incident, name="delete_incident"),
    path("incidents/<slug:code>/restore", correction_views.restore_incident, name="restore_incident"),
    path("updates/<slug:code>/components", correction_views.correct_components, name="correct_components"),
    path("components/<slug:code>/history", correction_views.component_history, name="component_history"),
    path("audit", audit_views.audit, name="audit"),
    path("audit.csv", audit_views.audit_csv, name="audit_csv"),
    path("settings", settings_views.page_settings, name="settings"),
    path("settings/logo", settings_views.page_logo, name="logo"),
    path("incidents/<slug:code>", incidents_views.incident, name="incident"),
    path("incidents/<slug:code>/update", update_views.post_update, name="post_update"),
    path("incidents/<slug:code>/resolve", update_views.resolve, name="resolve"),
    path("incidents/<slug:code>/reopen", update_views.reopen, name="reopen"),
    path("updates/<slug:code>/edit", update_views.edit_update, name="edit_update"),
    # Maintenances
    path("maintenances/new", maintenances_views.schedule, name="schedule"),
    path("maintenances/<slug:code>/start", maintenances_views.start, name="start_maintenance"),
    path("maintenances/<slug:code>/complete", maintenances_views.complete, name="complete_maintenance"),
    path("maintenances/<slug:code>/reschedule", maintenances_views.reschedule, name="reschedule"),
    path("maintenances/<slug:code>/options", maintenances_views.change_options, name="maintenance_options"),
    path("maintenances/<slug:code>/cancel", maintenances_views.cancel, name="cancel_maintenance"),
    path("series/<slug:code>", series_views.series, name="series"),
    path("series/<slug:code>/edit", series_views.edit_series, name="edit_series"),
    path("series/<slug:code>/end", series_views.end_series, name="end_series"),
    # Components, postmortems, subscribers, mails, people
    path("components", component_order.component_list, name="components"),
    path("components/new", components_views.new_component, name="new_component"),
    path("components/move", component_order.move_component, name="move_component"),
    path("components/place", component_order.place_component, name="place_component"),
    path("components/statuses", component_order.set_statuses, name="set_statuses"),
    path("components/<slug:code>", components_views.edit_component, name="edit_component"),
    path("components/<slug:code>/archive", components_views.archive_component, name="archive_component"),
    path("groups/new", components_views.new_group, name="new_group"),
    path("groups/<slug:code>", components_views.edit_group, name="edit_group"),
    path("groups/<slug:code>/delete", components_views.delete_group, name="delete_group"),
    path("incidents/<slug:code>/deliveries", delivery_views.deliveries, name="deliveries"),
    path("incidents/<slug:code>/deliveries/retry", delivery_views.retry, name="retry_deliveries"),
    path("audience", delivery_views.audience, name="audience"),
    path("incidents/<slug:code>/postmortem", postmortems_views.postmortem, name="postmortem"),
    path("incidents/<slug:code>/postmortem/retract", postmortems_views.retract_postmortem, name="retract_postmortem"),
    path("incidents/<slug:code>/postmortem/review", postmortems_views.review_postmortem, name="review_postmortem"),
    path("incidents/<slug:code>/postmortem/export.<slug:kind>", export_views.postmortem, name="export_postmortem"),
    path("incidents/<slug:code>/follow-up", follow_up_views.follow_up, name="follow_up"),
    path("subscribers", subscribers_views.subscriber_list, name="subscribers"),
    path("subscribers/new", subscribers_views.add_subscriber, name="add_subscriber"),
    path("subscribers/import", csv_views.import_subscribers, name="import_subscribers"),
    path("subscribers/export", csv_views.export_subscribers, name="export_subscribers"),
    path("subscribers/<slug:code>", subscribers_views.subscriber, name="subscriber"),
    path("subscribers/<slug:code>/pause", subscribers_views.pause_subscriber, name="pause_subscriber"),
    path("subscribers/<slug:code>/resume", subscribers_views.resume_subscriber, name="resume_subscriber"),
    path("subscribers/<slug:code>/confirmation", subscribers_views.resend_confirmation, name="resend_confirmation"),
    path("subscribers/<slug:code>/unsubscribe", subscribers_views.unsubscribe_subscriber, name="unsubscribe"),
    path("analytics", reports_views.analytics, name="analytics"),
    path("reports", reports_views.report_list, name="reports"),
    path("reports.csv", reports_views.report_list_csv, name="reports_csv"),
    path("reports/targets", reports_views.targets, name="targets"),
    path("reports/public", reports_views.publish_figures, name="publish_figures"),
    path("reports/<slug:code>/<str:period>.csv", reports_views.report_csv, name="report_csv"),
    path("reports/<slug:code>/<str:period>", reports_views.report, name="report"),
    path("incidents/<slug:code>/impact-start", reports_views.impact_start, name="impact_start"),
    path("channels", channels_views.channel_list, name="channels"),
    path("channels/new/<slug:kind>", channels_views.new_endpoint, name="new_endpoint"),
    path("channels/<slug:code>", channels_views.endpoint, name="endpoint"),
    path("channels/<slug:code>/act", channels_views.act, name="endpoint_act"),
    path("channels/<slug:code>/secret", channels_views.new_secret, name="endpoint_secret"),
    path("channels/<slug:code>/remove", channels_views.remove, name="remove_endpoint"),
    path("channels/<slug:code>/replay", channels_views.replay, name="replay_delivery"),
    path("mail", mail_views.mail_list, name="mails"),
    path("mail-test", mail_test_views.mail_test, name="mail_test"),
    path("mail/<str:name>", mail_views.mail, name="mail"),
    path("mail/<str:name>/source", mail_views.mail_source, name="mail_source"),
    path("publishing", publishing_views.publishing, name="publishing"),
    path("uptime", uptime_views.uptime, name="uptime"),
    path("proofreading", proofreading_views.proofreading, name="proofreading"),
    path("tokens", token_views.token_list, name="tokens"),
    path("tokens/<slug:code>/revoke", token_views.revoke_token, name="revoke_token"),
    path("account", account_views.account, name="account"),
    path("people", people_views.people_list, name="people"),
    path("people/<slug:code>/role", people_views.change_role, name="person_role"),
    path("people/<slug:code>/active", people_views.set_active, name="person_active"),
    path("people/<slug:code>/password", people_views.replace_password, name="person_password"),
]
