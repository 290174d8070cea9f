"""What comes in as a picture, and what is left of it."""

import io
import re
import tracemalloc
import zlib

import pytest
from django.core.exceptions import ValidationError
from PIL import Image, PngImagePlugin

from incidents import colors
from incidents.images import MAX_BYTES, convert_image, is_legible
from tests.pictures import CHALK, INK, bomb, file_of, opened, wordmark

SVG = b'<?xml version="1.0"?>\n<SVG xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></SVG>'


def refusal(raw: bytes) -> str:
    with pytest.raises(ValidationError) as refused:
        convert_image(raw)
    return " ".join(refused.value.messages)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_of_each_kind_becomes_a_webp_that_fits(kind: str) -> None:
    picture = convert_image(file_of(wordmark().convert("RGB"), kind))
    image = opened(picture)
    assert (image.format, image.size) == ("WEBP", (480, 128))
    assert (picture.width, picture.height) == image.size


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_whatever_a_png_keeps_its_colours_in_is_understood(mode: str) -> None:
    grey = Image.new("I;16", (60, 60), 128 * 256) if mode == "I;16" else Image.new("L", (60, 60), 128).convert(mode)
    shown = opened(convert_image(file_of(grey))).convert("L").resize((1, 1)).tobytes()
    assert abs(shown[0] - 128) < 3


def test_a_small_picture_is_not_blown_up_and_a_thin_one_not_lost() -> None:
    assert opened(convert_image(file_of(wordmark(size=(90, 24))))).size == (90, 24)
    assert opened(convert_image(file_of(wordmark(size=(4000, 4))))).size == (480, 1)


def test_what_is_transparent_stays_so_and_hides_nothing() -> None:
    image = wordmark(size=(300, 80))
    image.putpixel((90, 2), (1, 2, 3, 0))
    shown = opened(convert_image(file_of(image))).convert("RGBA")
    assert shown.getpixel((90, 2)) == (0, 0, 0, 0)
    assert shown.getpixel((10, 10)) == (*INK, 255)


def test_converting_an_image_again_gives_the_same_bytes() -> None:
    for image in (wordmark(), Image.effect_noise((700, 300), 90).convert("RGB")):
        once = convert_image(file_of(image))
        assert convert_image(once.content) == once


def test_metadata_and_what_is_hung_on_are_gone() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET place"
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "SECRET person")
    for raw in (
        file_of(wordmark().convert("RGB"), "JPEG", exif=exif, comment=b"SECRET"),
        file_of(wordmark(), pnginfo=texts, exif=exif),
        file_of(wordmark(), "WEBP", exif=exif, xmp=b"SECRET", lossless=True),
    ):
        assert b"SECRET" in raw
        content = convert_image(raw + b"<script>SECRET</script>").content
        assert b"SECRET" not in content
        assert not {b"EXIF", b"XMP ", b"ICCP"} & set(re.findall(rb"[A-Z]{4}|XMP ", content))
        assert int.from_bytes(content[4:8], "little") + 8 == len(content)


def test_a_photograph_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(convert_image(file_of(wordmark(size=(120, 40)).convert("RGB"), "JPEG", exif=exif))).size == (40, 120)


def test_of_an_animation_the_first_frame_is_kept() -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in ("red", "blue", "green")]
    for kind in ("GIF", "WEBP", "PNG"):
        raw = file_of(frames[0], kind, save_all=True, append_images=frames[1:])
        image = opened(convert_image(raw))
        assert getattr(image, "n_frames", 1) == 1
        assert image.convert("RGB").getpixel((5, 5)) == (255, 0, 0) or kind == "WEBP"


@pytest.mark.parametrize("size", [(4001, 10), (10, 4001), (12_000, 9_000), (60_000, 60_000)])
def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    tracemalloc.start()
    assert "more than 4,000 pixels on a side" in refusal(bomb(*size))
    assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BYTES
    tracemalloc.stop()


def test_a_text_that_unpacks_to_a_gigabyte_is_not_unpacked() -> None:
    raw = file_of(Image.new("L", (10, 10)))
    text = b"Comment\0\0" + zlib.compress(b"\0" * 100_000_000)
    chunk = len(text).to_bytes(4) + b"zTXt" + text + zlib.crc32(b"zTXt" + text).to_bytes(4)
    tracemalloc.start()
    refusal(raw[:33] + chunk + raw[33:])
    assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BYTES
    tracemalloc.stop()


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    raw = file_of(wordmark().convert("RGB"), "JPEG", progressive=True)
    scan = raw[raw.rindex(b"\xff\xda") : -2]
    assert "too many scans" in refusal(raw[:-2] + scan * 200 + raw[-2:])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (SVG, "SVG files are not accepted"),
        (b"%PDF-1.7", "This is not a PNG, JPEG, WebP or GIF"),
        (b"", "This is not a PNG, JPEG, WebP or GIF"),
        (b"GIF89a", "This is not a PNG, JPEG, WebP or GIF"),
        (file_of(Image.new("RGB", (9, 9)), "BMP"), "This is not a PNG, JPEG, WebP or GIF"),
        (file_of(Image.new("RGB", (9, 9)), "TIFF"), "This is not a PNG, JPEG, WebP or GIF"),
        (file_of(wordmark())[:900], "damaged"),
        (file_of(Image.new("RGBA", (9, 9))), "fully transparent"),
        (b"\0" * (MAX_BYTES + 1), "larger than 2 MB"),
    ],
    ids=["svg", "pdf", "empty", "header", "bmp", "tiff", "cut off", "transparent", "large"],
)
def test_what_cannot_be_a_logo_is_refused_in_plain_words(raw: bytes, message: str) -> None:
    assert message in refusal(raw)


def test_no_damage_to_a_file_is_more_than_a_refusal() -> None:
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        raw = file_of(wordmark(size=(60, 30)).convert("RGB"), kind)
        for place in range(0, len(raw), 7):
            damaged = raw[:place] + bytes([raw[place] ^ 0xFF]) + raw[place + 1 :]
            try:
                image = Image.open(io.BytesIO(convert_image(damaged).content))
            except ValidationError:
                continue
            assert image.width <= 480


@pytest.mark.parametrize(
    ("color", "on_light", "on_dark"), [(INK, True, False), (CHALK, False, True), ((200, 40, 40), True, True)]
)
def test_a_logo_that_its_ground_swallows_is_noticed(
    color: tuple[int, int, int], *, on_light: bool, on_dark: bool
) -> None:
    content = convert_image(file_of(wordmark(color))).content
    assert is_legible(content, colors.LIGHT[0]) is on_light
    assert is_legible(content, colors.DARK[0]) is on_dark


def test_a_logo_with_its_own_ground_is_legible_on_any() -> None:
    image = Image.new("RGB", (300, 80), "white")
    image.paste(wordmark(size=(280, 60)), (10, 10), wordmark(size=(280, 60)))
    content = convert_image(file_of(image)).content
    assert is_legible(content, colors.LIGHT[0])
    assert is_legible(content, colors.DARK[0])
