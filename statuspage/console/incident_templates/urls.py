from django.urls import path

from statuspage.console.incident_templates import views

urlpatterns = [
    path("incident-templates", views.incident_template_list, name="incident_templates"),
    path("incident-templates/new", views.new_incident_template, name="new_incident_template"),
    path("incident-templates/built-in", views.add_built_in_templates, name="add_built_in_templates"),
    path("incident-templates/<slug:public_id>", views.edit_incident_template, name="edit_incident_template"),
    path("incident-templates/<slug:public_id>/delete", views.delete_incident_template, name="delete_incident_template"),
    path("presets", views.redirect_old_address, name="presets"),
]
