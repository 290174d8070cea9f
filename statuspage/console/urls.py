from django.urls import path

from statuspage.console.views import (
    components,
    dashboard,
    incidents,
    mails,
    mailtest,
    people,
    postmortems,
    subscribers,
    updates,
)

app_name = "console"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("preview", updates.preview, name="preview"),
    path("components/<slug:code>/status", dashboard.set_component_status, name="component_status"),
    path("incidents", incidents.incident_list, name="incidents"),
    path("incidents/new", incidents.declare, name="declare"),
    path("incidents/<slug:code>", incidents.incident, name="incident"),
    path("incidents/<slug:code>/update", updates.post_update, name="post_update"),
    path("incidents/<slug:code>/resolve", updates.resolve, name="resolve"),
    path("incidents/<slug:code>/reopen", updates.reopen, name="reopen"),
    path("updates/<slug:code>/edit", updates.edit_update, name="edit_update"),
    # Components, postmortems, subscribers, mails, people
    path("components", components.component_list, name="components"),
    path("components/new", components.new_component, name="new_component"),
    path("components/move", components.move_component, name="move_component"),
    path("components/<slug:code>", components.edit_component, name="edit_component"),
    path("components/<slug:code>/archive", components.archive_component, name="archive_component"),
    path("groups/new", components.new_group, name="new_group"),
    path("groups/<slug:code>", components.edit_group, name="edit_group"),
    path("groups/<slug:code>/delete", components.delete_group, name="delete_group"),
    path("incidents/<slug:code>/postmortem", postmortems.postmortem, name="postmortem"),
    path("incidents/<slug:code>/postmortem/retract", postmortems.retract_postmortem, name="retract_postmortem"),
    path("subscribers", subscribers.subscriber_list, name="subscribers"),
    path("subscribers/<slug:code>/unsubscribe", subscribers.unsubscribe_subscriber, name="unsubscribe"),
    path("mail", mails.mail_list, name="mails"),
    path("mail-test", mailtest.mail_test, name="mail_test"),
    path("mail/<str:name>", mails.mail, name="mail"),
    path("mail/<str:name>/source", mails.mail_source, name="mail_source"),
    path("people", people.people_list, name="people"),
    path("people/<slug:code>/role", people.change_role, name="person_role"),
    path("people/<slug:code>/active", people.set_active, name="person_active"),
    path("people/<slug:code>/password", people.replace_password, name="person_password"),
]
