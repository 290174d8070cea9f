from django.apps import AppConfig
from django.core.checks import register


class PublishingConfig(AppConfig):
    name = "statuspage.publishing"

    def ready(self) -> None:
        from statuspage.publishing.checks import targets_can_be_used

        register(targets_can_be_used)
