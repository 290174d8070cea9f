from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from incidents.images import MAX_BYTES, Picture, convert_image
from statuspage.console.action_form import ActionForm

ACCEPTED = "image/png,image/jpeg,image/webp,image/gif"


class PictureField(forms.FileField):
    """An uploaded image. Cleans to a Picture, which is drawn again from the pixels of the file."""

    widget = forms.FileInput(attrs={"accept": ACCEPTED})

    def clean(self, data: Any, initial: Any = None) -> Any:
        upload: UploadedFile[bytes] | None = super().clean(data, initial)
        return convert_image(upload.read(MAX_BYTES + 1)) if upload else None


class LogoForm(ActionForm):
    """Upload one or both logos, or remove one."""

    logo = PictureField(
        label="Logo",
        required=False,
        help_text="Shown instead of the page name. PNG, JPEG, WebP or GIF, up to 2 MB and 4,000 pixels per side. "
        "A PNG with a transparent background looks best.",
    )
    logo_dark = PictureField(
        label="Logo for dark mode",
        required=False,
        help_text="Optional. Without it, the other logo is shown in dark mode too.",
    )
    remove = forms.ChoiceField(choices=[("logo", "logo"), ("logo_dark", "logo_dark")], required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.values()):
            self.add_error("logo", "Choose a file.")
        return cleaned

    @property
    def pictures(self) -> dict[str, Picture | None]:
        """The new logo by field name; None removes it. Call `is_valid()` first."""
        if removed := self.cleaned_data["remove"]:
            return {removed: None}
        return {name: self.cleaned_data[name] for name in ("logo", "logo_dark") if self.cleaned_data[name]}
