from django.db import migrations, models

import incidents.models.base

RANDOM = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "replace(gen_random_uuid()::text, '-', '')"}


def give_keys(apps, schema_editor):
    random = RANDOM[schema_editor.connection.vendor]
    schema_editor.execute(f"UPDATE incidents_event SET public_key = {random}")


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="public_key",
            field=models.CharField(default="", editable=False, max_length=32),
            preserve_default=False,
        ),
        migrations.RunPython(give_keys, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="event",
            name="public_key",
            field=models.CharField(default=incidents.models.base.new_key, editable=False, max_length=32),
        ),
    ]
