"""Who loads what, and the settings that were measured to survive a Redis that froze and moved."""

import subprocess
import sys

from pytest_django import Settings

from statuspage.celery import app
from statuspage.notifications import tasks


def test_the_web_process_never_loads_the_broker() -> None:
    code = (
        "import sys, statuspage.wsgi, django.urls; django.urls.get_resolver().url_patterns;"
        "print([name for name in ('celery', 'kombu', 'redis') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_broker_settings_are_the_measured_ones(settings: Settings) -> None:
    assert app.conf.broker_transport_options == {
        "visibility_timeout": 120,
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 5,
        "retry_on_timeout": True,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    }
    expected = {
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "task_ignore_result": True,
        "task_time_limit": 60,
        "task_soft_time_limit": 50,
    }
    assert {name: app.conf[name] for name in expected} == expected
    assert app.conf.result_backend is None
    assert not app.conf.beat_schedule


def test_the_tasks_that_the_dispatcher_sends_exist() -> None:
    assert tasks.deliver.name == "notifications.deliver"
    assert tasks.beat.name == "notifications.beat"
