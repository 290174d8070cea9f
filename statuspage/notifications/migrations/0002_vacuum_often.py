"""Make PostgreSQL vacuum the deliveries table often.

The index of due deliveries keeps an entry of each sent row until VACUUM removes it, and claims step over those. By default
PostgreSQL waits until a fifth of the table has changed.
"""

from django.db import migrations

SETTINGS = "autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 50000, autovacuum_analyze_scale_factor = 0.01"


def set_autovacuum(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE notifications_delivery SET ({SETTINGS})")


def reset_autovacuum(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        names = ", ".join(setting.split(" = ")[0] for setting in SETTINGS.split(", "))
        schema_editor.execute(f"ALTER TABLE notifications_delivery RESET ({names})")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]

    operations = [migrations.RunPython(set_autovacuum, reset_autovacuum)]
