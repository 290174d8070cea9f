from django.db import models

from incidents import images

# What the header has room for, in CSS pixels: pictures of the largest size are shown at a third, sharp on any screen.
ROOM = (240, 48)


class PageLogo(models.Model):
    """A logo as incidents.images encodes it (WebP). Rows never change: another logo is another row."""

    content = models.BinaryField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"{self.width} × {self.height}, {self.digest}"

    def is_legible_on(self, background: str) -> bool:
        return images.is_legible(bytes(self.content), background)

    @property
    def shown_width(self) -> int:
        return max(1, round(self.width * self._scale))

    @property
    def shown_height(self) -> int:
        return max(1, round(self.height * self._scale))

    @property
    def _scale(self) -> float:
        return min(1, ROOM[0] / self.width, ROOM[1] / self.height)
