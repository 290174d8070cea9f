from django.db import migrations, models

import incidents.models.base

RANDOM = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "replace(gen_random_uuid()::text, '-', '')"}


def give_keys(apps, schema_editor):
    random = RANDOM[schema_editor.connection.vendor]
    schema_editor.execute(f"UPDATE notifications_delivery SET key = {random} WHERE event_id IS NULL")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="key",
            field=models.CharField(db_default="", default=incidents.models.base.new_key, editable=False, max_length=32),
        ),
        migrations.RunPython(give_keys, migrations.RunPython.noop),
    ]
