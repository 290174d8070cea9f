import django.db.models.deletion
import incidents.models.pages
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0006_event_statuses'),
        ('subscribers', '0002_endpoints'),
    ]

    operations = [
        migrations.AddField(
            model_name='subscriber',
            name='detail',
            field=models.CharField(choices=[('all', 'Every update'), ('milestones', 'Only when something begins or ends')], db_default='all', default='all', max_length=12),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='language',
            field=models.CharField(db_default='en', default='en', max_length=12),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='tells_incidents',
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='tells_maintenances',
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='tells_postmortems',
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='time_zone',
            field=models.CharField(blank=True, db_default='', default='', max_length=64, validators=[incidents.models.pages.validate_time_zone]),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='whole_page',
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AlterField(
            model_name='subscriber',
            name='state',
            field=models.CharField(choices=[('pending', 'Not confirmed yet'), ('verifying', 'Waiting for the endpoint'), ('active', 'Active'), ('paused', 'Paused'), ('unsubscribed', 'Unsubscribed')], default='pending', max_length=12),
        ),
        migrations.CreateModel(
            name='Interest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('component', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.component')),
                ('group', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.componentgroup')),
                ('incident', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.incident')),
                ('subscriber', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='interests', to='subscribers.subscriber')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('group', 'subscriber'), name='interest_in_group_once'), models.UniqueConstraint(fields=('component', 'subscriber'), name='interest_in_component_once'), models.UniqueConstraint(fields=('incident', 'subscriber'), name='interest_in_incident_once'), models.CheckConstraint(condition=models.Q(models.Q(('component__isnull', True), ('group__isnull', False), ('incident__isnull', True)), models.Q(('component__isnull', False), ('group__isnull', True), ('incident__isnull', True)), models.Q(('component__isnull', True), ('group__isnull', True), ('incident__isnull', False)), _connector='OR'), name='interest_in_one_thing')],
            },
        ),
    ]
