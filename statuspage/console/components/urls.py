from django.urls import path

from statuspage.console.components import component_order, views

urlpatterns = [
    path("components", component_order.component_list, name="components"),
    path("components/new", views.new_component, name="new_component"),
    path("components/move", component_order.move_component, name="move_component"),
    path("components/place", component_order.place_component, name="place_component"),
    path("components/statuses", component_order.set_statuses, name="set_statuses"),
    path("components/<slug:public_id>", views.edit_component, name="edit_component"),
    path("components/<slug:public_id>/archive", views.archive_component, name="archive_component"),
    path("groups/new", views.new_group, name="new_group"),
    path("groups/<slug:public_id>", views.edit_group, name="edit_group"),
    path("groups/<slug:public_id>/delete", views.delete_group, name="delete_group"),
]
