from django.urls import path

from statuspage.console.incident_templates import views

urlpatterns = [
    path("presets", views.incident_template_list, name="presets"),
    path("presets/new", views.new_incident_template, name="new_preset"),
    path("presets/stock", views.add_built_in_templates, name="add_stock"),
    path("presets/<slug:code>", views.edit_incident_template, name="edit_preset"),
    path("presets/<slug:code>/delete", views.delete_incident_template, name="delete_preset"),
]
