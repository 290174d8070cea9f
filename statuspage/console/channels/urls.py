from django.urls import path

from statuspage.console.channels import mail_test_views, mail_views, views

urlpatterns = [
    path("channels", views.channel_list, name="channels"),
    path("channels/new/<slug:kind>", views.new_endpoint, name="new_endpoint"),
    path("channels/<slug:public_id>", views.endpoint, name="endpoint"),
    path("channels/<slug:public_id>/act", views.act, name="endpoint_act"),
    path("channels/<slug:public_id>/secret", views.new_secret, name="endpoint_secret"),
    path("channels/<slug:public_id>/remove", views.remove, name="remove_endpoint"),
    path("channels/<slug:public_id>/replay", views.replay, name="replay_delivery"),
    path("mail", mail_views.mail_list, name="mails"),
    path("mail-test", mail_test_views.mail_test, name="mail_test"),
    path("mail/<str:name>", mail_views.mail, name="mail"),
    path("mail/<str:name>/source", mail_views.mail_source, name="mail_source"),
]
