from typing import ClassVar

from django import forms

from incidents.models import Page
from incidents.text.default_templates import OUTLINE


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Rules for publishing in the console."""

    class Meta:
        model = Page
        fields = ("undo_seconds", "requires_approval", "postmortems_need_approval", "postmortem_outline")
        labels = {
            "undo_seconds": "Undo period in seconds",
            "requires_approval": "Require approval of everything that visitors read",
            "postmortems_need_approval": "Require approval of postmortems",
            "postmortem_outline": "Postmortem outline",
        }
        widgets: ClassVar = {"postmortem_outline": forms.Textarea(attrs={"rows": 8, "placeholder": OUTLINE})}
        help_texts = {
            "undo_seconds": "Updates from the console are published after this delay. Until then, you can undo. "
            "0 publishes immediately; the maximum is 600.",
            "requires_approval": "A person other than the author must approve each incident update, edit, correction, "
            "maintenance and postmortem, also from API tokens. Component statuses do not need approval.",
            "postmortems_need_approval": "The last editor of a postmortem cannot approve it. Tokens can publish only "
            "approved postmortems. Completing action items needs no approval.",
            "postmortem_outline": "Markdown headings. Example: ## What happened. Leave empty for the built-in outline.",
        }
