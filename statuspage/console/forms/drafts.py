from django import forms

from incidents.models import Page


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """How texts about incidents leave the console."""

    class Meta:
        model = Page
        fields = ("undo_seconds", "requires_approval")
        labels = {
            "undo_seconds": "Seconds to take it back",
            "requires_approval": "A second person approves what is published",
        }
        help_texts = {
            "undo_seconds": "What is published in the console leaves so many seconds later. 0 sends it at once, and "
            "600 is the most.",
            "requires_approval": "Incidents that are declared, updated, resolved or reopened in the console wait until "
            "somebody other than their author approves them. Corrections, maintenance and postmortems are not held up, "
            "and programs with a token are not asked.",
        }
