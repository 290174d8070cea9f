from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from incidents.images import MAX_BYTES, Picture, drawn
from statuspage.console.action_form import ActionForm

ACCEPTED = "image/png,image/jpeg,image/webp,image/gif"


class PictureField(forms.FileField):
    """Gives a Picture, which holds no byte of the file."""

    widget = forms.FileInput(attrs={"accept": ACCEPTED})

    def clean(self, data: Any, initial: Any = None) -> Any:
        upload: UploadedFile[bytes] | None = super().clean(data, initial)
        return drawn(upload.read(MAX_BYTES + 1)) if upload else None


class LogoForm(ActionForm):
    """One picture or both are chosen, or a button says which one goes."""

    logo = PictureField(
        label="Picture",
        required=False,
        help_text="Stands in place of the page's name. PNG, JPEG, WebP or GIF, up to 2 MB and 4,000 pixels a side. "
        "A PNG on transparent ground looks best.",
    )
    logo_dark = PictureField(
        label="Picture for dark screens",
        required=False,
        help_text="Optional. Without one, the other stands there too.",
    )
    remove = forms.ChoiceField(choices=[("logo", "logo"), ("logo_dark", "logo_dark")], required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.values()):
            self.add_error("logo", "Choose a file.")
        return cleaned

    @property
    def pictures(self) -> dict[str, Picture | None]:
        """After `is_valid()`: what to show from now on, by field. None: nothing."""
        if gone := self.cleaned_data["remove"]:
            return {gone: None}
        return {name: self.cleaned_data[name] for name in ("logo", "logo_dark") if self.cleaned_data[name]}
