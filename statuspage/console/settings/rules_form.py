from typing import ClassVar

from django import forms

from incidents.models import Page
from incidents.text.default_templates import OUTLINE


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """How texts about incidents leave the console."""

    class Meta:
        model = Page
        fields = ("undo_seconds", "requires_approval", "postmortems_need_approval", "postmortem_outline")
        labels = {
            "undo_seconds": "Seconds to take it back",
            "requires_approval": "A second person approves what is published",
            "postmortems_need_approval": "A second person approves postmortems",
            "postmortem_outline": "What a postmortem begins with",
        }
        widgets: ClassVar = {"postmortem_outline": forms.Textarea(attrs={"rows": 8, "placeholder": OUTLINE})}
        help_texts = {
            "undo_seconds": "What is published in the console leaves so many seconds later. 0 sends it at once, and "
            "600 is the most.",
            "requires_approval": "Incidents that are declared, updated, resolved or reopened in the console wait until "
            "somebody other than their author approves them. Corrections and maintenance are not held up, and programs "
            "with a token are not asked.",
            "postmortems_need_approval": "Whoever changed a postmortem last cannot approve it, and programs with a "
            "token cannot publish what nobody has approved. What is done of the action items needs no approval.",
            "postmortem_outline": "Headings in Markdown, like ## What happened. Empty: Candor's own four.",
        }
