from django.apps import AppConfig
from django.core.checks import register


class PublicConfig(AppConfig):
    name = "statuspage.public"

    def ready(self) -> None:
        from statuspage.public.checks import targets_can_be_used

        register(targets_can_be_used)
