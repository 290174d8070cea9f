"""Decode uploaded images and encode them again. This is the only module that imports PIL.

No byte of the uploaded file is stored: metadata, further frames and anything else in it are dropped.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from io import BytesIO

from django.core.exceptions import ValidationError
from PIL import Image, ImageOps, UnidentifiedImageError

from incidents import colors

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_BYTES = 2 * 1024 * 1024
MAX_SIDE = 4000
BOX = (480, 160)
# Usual images have about ten. Every scan makes the decoder process the whole image, for a few bytes of input.
MAX_SCANS = 100
# The contrast that graphics need (WCAG 2.2, success criterion 1.4.11), and the share of pixels that may have less.
CONTRAST, FAINT = 3.0, 0.3
SAMPLE = (120, 40)

_Rgba = tuple[int, int, int, int]


@dataclass(frozen=True)
class Picture:
    """A lossless WebP. Encoding it again gives the same bytes."""

    content: bytes
    width: int
    height: int

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:16]


def convert_image(raw: bytes) -> Picture:
    """Convert `raw` (PNG, JPEG, WebP or GIF; the first frame of an animation) to an image of at most 480 by 160 pixels.

    Raise ValidationError without a field if it is too large, damaged or of another format.
    """
    if len(raw) > MAX_BYTES:
        raise ValidationError("This file is larger than 2 MB. Upload a smaller one.")
    if b"<svg" in raw[:2048].lower():
        raise ValidationError(
            "SVG files are not accepted because they can contain scripts. Upload a PNG at least 480 pixels wide."
        )
    image = _decoded(raw)
    if image.getchannel("A").getextrema()[1] == 0:
        raise ValidationError("This image is fully transparent.")
    image.thumbnail(BOX, Image.Resampling.LANCZOS)
    buffer = BytesIO()
    # Not `exact`: the colors of fully transparent pixels are removed.
    image.save(buffer, "WEBP", lossless=True, quality=90, method=6, exact=False)
    return Picture(buffer.getvalue(), image.width, image.height)


def is_legible(content: bytes, background: str) -> bool:
    """Return whether the image has enough contrast on `background` (`#rrggbb`).

    An image without transparency has its own background. `content` is the content of a Picture.
    """
    image = Image.open(BytesIO(content), formats=["WEBP"]).convert("RGBA")
    image.thumbnail(SAMPLE)
    pixels_by_color = Counter(pixel[:3] for pixel in _pixels(image) if pixel[3] > 127)
    if pixels_by_color.total() > 0.95 * image.width * image.height:
        return True
    faint = sum(n for rgb, n in pixels_by_color.items() if colors.contrast(colors.as_hex(*rgb), background) < CONTRAST)
    return faint <= FAINT * pixels_by_color.total()


def _decoded(raw: bytes) -> Image.Image:
    """Decode the first frame, upright, as RGBA. The size is checked before anything is decoded."""
    try:
        image = Image.open(BytesIO(raw), formats=FORMATS)
        _check_size(image)
        if image.format in ("JPEG", "MPO") and raw.count(b"\xff\xda") > MAX_SCANS:
            raise ValidationError("This JPEG has too many scans. Save it as PNG.")
        image.load()
        _check_size(image)
        return _eight_bits(ImageOps.exif_transpose(image)).convert("RGBA")
    except ValidationError:
        raise
    except UnidentifiedImageError:
        raise ValidationError("This is not a PNG, JPEG, WebP or GIF image.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except Exception:  # a decoder of a damaged file may fail in any way
        raise ValidationError("This image is damaged and cannot be read.") from None


def _check_size(image: Image.Image) -> None:
    if max(image.size) > MAX_SIDE:
        raise _too_large()


def _too_large() -> ValidationError:
    return ValidationError(f"This image has more than {MAX_SIDE:,} pixels on a side. Upload a smaller one.")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Reduce 16-bit grayscale to its upper eight bits. PIL would clip the values instead."""
    return image.point(lambda grey: grey / 256).convert("L") if image.mode.startswith("I") else image


def _pixels(image: Image.Image) -> list[_Rgba]:
    raw = image.tobytes()
    return list(zip(raw[0::4], raw[1::4], raw[2::4], raw[3::4], strict=True))
