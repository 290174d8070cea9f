"""Pictures as people have them."""

import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from incidents.images import Picture

INK, CHALK = (20, 24, 30), (240, 242, 245)


def wordmark(colour: tuple[int, int, int] = INK, *, size: tuple[int, int] = (900, 240)) -> Image.Image:
    """Two bars on transparent ground."""
    width, height = size
    image = Image.new("RGBA", size)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width // 4, height - 1), fill=(*colour, 255))
    pen.rectangle((width // 3, height // 3, width - 1, height * 2 // 3), fill=(*colour, 255))
    return image


def file_of(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(picture: Picture) -> Image.Image:
    image = Image.open(BytesIO(picture.content))
    image.load()
    return image


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is so large."""
    small = bytearray(file_of(Image.new("L", (1, 1))))
    small[16:24] = width.to_bytes(4) + height.to_bytes(4)
    small[29:33] = zlib.crc32(small[12:29]).to_bytes(4)
    return bytes(small)
