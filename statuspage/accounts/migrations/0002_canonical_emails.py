from django.db import migrations

from statuspage.common.email_addresses import normalize_email


def use_canonical_addresses(apps, schema_editor):
    users = apps.get_model("accounts", "User").objects
    for user in users.filter(email__regex="[^ -~]"):
        if not users.filter(email=normalize_email(user.email)).exists():
            users.filter(pk=user.pk).update(email=normalize_email(user.email))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(use_canonical_addresses, migrations.RunPython.noop)]
