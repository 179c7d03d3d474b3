import io
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from tlae.footage.frames import Image
from tlae.footage.images import Unreadable, decode_image, reduction


def scene(height: int = 48, width: int = 64) -> Image:
    """Smooth colours, so that lossy formats keep them."""
    rows, columns = np.mgrid[:height, :width]
    channels = (rows * 200 // height, columns * 200 // width, (rows + columns) % 100 + 100)
    return np.stack(channels, -1).astype(np.uint8)


def encoded(image: np.ndarray, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(image).save(file, form, **options)
    return file.getvalue()


def noisy_jpeg(*options: int, size: int = 96) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (size, size, 3), np.uint8)
    return bytes(cv2.imencode(".jpg", pixels, options)[1])


def reason(data: bytes, min_hw: tuple[int, int] | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        decode_image(data, min_hw)
    return caught.value.reason


def test_a_picture_that_claims_absurdly_many_pixels_is_not_decoded() -> None:
    data = bytearray(encoded(scene(), "PNG"))
    data[16:24] = (30_000).to_bytes(4, "big") * 2  # width and height of the header
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    assert reason(bytes(data)) == "too many pixels"


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_come_back_exactly(form: str) -> None:
    image, source_hw = decode_image(encoded(scene(31, 45), form))
    np.testing.assert_array_equal(image, scene(31, 45))
    assert source_hw is None


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_lossy_formats_come_back_closely(form: str) -> None:
    image, _ = decode_image(encoded(scene(), form, quality=95))
    assert np.abs(image.astype(int) - scene()).mean() < 4


def test_red_stays_red() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 250
    for form in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"):
        image, _ = decode_image(encoded(red, form))
        assert image[8, 8, 0] > 240, form
        assert image[8, 8, 2] < 10, form


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_loses_its_low_byte_without_rescaling(form: str) -> None:
    values = np.array([[0, 255, 256, 257], [300, 4095, 32768, 65535]], np.uint16)
    image, _ = decode_image(encoded(values, form))
    np.testing.assert_array_equal(image, np.repeat((values >> 8)[..., None], 3, -1))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_colour_loses_its_low_byte(suffix: str) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (9, 7, 3), np.uint16)
    image, _ = decode_image(bytes(cv2.imencode(suffix, values)[1]))
    np.testing.assert_array_equal(image, (values >> 8)[..., ::-1])


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_alpha_is_dropped_not_multiplied(form: str) -> None:
    alpha = np.linspace(0, 255, 48 * 64).reshape(48, 64, 1).astype(np.uint8)
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    image, _ = decode_image(encoded(np.dstack([scene(), alpha]), form, **options))
    np.testing.assert_array_equal(image, scene())


def test_grey_becomes_three_equal_channels() -> None:
    grey = scene()[..., 0]
    image, _ = decode_image(encoded(grey, "PNG"))
    np.testing.assert_array_equal(image, np.repeat(grey[..., None], 3, -1))


def test_a_gif_named_jpg_is_read_by_its_content() -> None:
    image, _ = decode_image(encoded(np.full((8, 9, 3), 200, np.uint8), "GIF"))
    assert image.shape == (8, 9, 3)
    assert (image == 200).all()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(form: str, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[274] = orientation
    onward, back = slice(None), slice(None, None, -1)
    kept = {1: (onward, onward), 2: (onward, back), 3: (back, back), 4: (back, onward)}
    image, _ = decode_image(encoded(scene(), form, exif=exif, quality=95))
    if orientation > 4:
        assert image.shape == (64, 48, 3)
    else:
        rows, columns = kept[orientation]
        expected = scene()[rows, columns]
        assert np.abs(image.astype(int) - expected).mean() < 4


def test_reduced_size_counts_after_rotation() -> None:
    exif = Pillow.Exif()
    exif[274] = 6
    data = encoded(scene(160, 400), "JPEG", exif=exif)
    image, source_hw = decode_image(data, (90, 40))  # upright 400x160
    assert image.shape == (100, 40, 3)
    assert source_hw == (400, 160)


@pytest.mark.parametrize("size_hw", [(64, 64), (257, 391), (480, 640), (65, 1000), (128, 127)])
@pytest.mark.parametrize("min_hw", [(16, 16), (32, 48), (64, 64), (60, 80)])
def test_reduced_pictures_never_fall_below_the_wanted_size(
    size_hw: tuple[int, int], min_hw: tuple[int, int]
) -> None:
    image, source_hw = decode_image(encoded(scene(*size_hw), "JPEG"), min_hw)
    factor = reduction(size_hw, min_hw)
    assert image.shape[:2] == (-(-size_hw[0] // factor), -(-size_hw[1] // factor))
    if factor > 1:
        assert source_hw == size_hw
        assert image.shape[0] >= min_hw[0]
        assert image.shape[1] >= min_hw[1]
    else:
        assert source_hw is None


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_reduced_pictures_are_close_to_the_full_ones(factor: int) -> None:
    data = encoded(scene(256, 384), "JPEG", quality=95)
    wanted = (256 // factor, 384 // factor)
    reduced, _ = decode_image(data, wanted)
    full, _ = decode_image(data)
    small = cv2.resize(full, wanted[::-1], interpolation=cv2.INTER_AREA)
    assert reduced.shape[:2] == wanted
    assert np.abs(reduced.astype(int) - small).mean() < 2


def test_only_jpeg_is_reduced() -> None:
    image, source_hw = decode_image(encoded(scene(128, 128), "PNG"), (16, 16))
    assert image.shape == (128, 128, 3)
    assert source_hw is None


JPEGS = {
    "baseline": noisy_jpeg(),
    "progressive": noisy_jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": noisy_jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
}


@pytest.mark.parametrize("min_hw", [None, (12, 12)])
@pytest.mark.parametrize("share", [0.005, 0.1, 0.5, 0.9, 0.97, 0.99, 0.999])
@pytest.mark.parametrize("kind", JPEGS)
def test_a_cut_jpeg_is_truncated(kind: str, share: float, min_hw: tuple[int, int] | None) -> None:
    data = JPEGS[kind]
    cut = data[: int(len(data) * share)]
    assert reason(cut, min_hw) == "truncated"
    assert reason(cut + bytes(len(data) - len(cut)), min_hw) == "truncated"  # space never filled


def test_a_cut_jpeg_is_not_saved_by_the_end_of_its_thumbnail() -> None:
    thumbnail = noisy_jpeg(size=16)
    block = b"Exif\0\0" + thumbnail
    data = noisy_jpeg()
    whole = data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:]
    assert decode_image(whole)[0].shape == (96, 96, 3)
    assert reason(whole[: len(whole) // 2]) == "truncated"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF"])
def test_bytes_after_the_end_do_no_harm(form: str) -> None:
    assert decode_image(encoded(scene(), form) + b"\0garbage" * 9)[0].shape == (48, 64, 3)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_other_formats_cut_short_are_unreadable(form: str, share: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data = encoded(pixels, form)
    assert reason(data[: int(len(data) * share)]) == "truncated"


def test_what_is_no_picture_says_so() -> None:
    assert reason(b"") == "empty file"
    assert reason(b"hello, this is text") == "not an image"
    assert reason(bytes(1000)) == "not an image"
    assert reason(b"\x89PNG\r\n\x1a\n" + b"x" * 50 + b"IEND") == "damaged"
    assert reason(encoded(np.zeros((4, 4), np.float32), "TIFF")) == "floating-point pixels"


@pytest.mark.parametrize(
    ("size_hw", "factor"), [((100, 100), 1), ((200, 199), 1), ((200, 200), 2), ((9999, 450), 4)]
)
def test_reduction_keeps_both_sides(size_hw: tuple[int, int], factor: int) -> None:
    assert reduction(size_hw, (100, 100)) == factor


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)])
def test_stray_markers_in_pixel_data_are_damage(options: tuple[int, ...]) -> None:
    whole = noisy_jpeg(*options)
    decode_image(whole)
    middle = len(whole) // 2
    assert reason(whole[:middle] + b"\xff\x3b" + whole[middle + 2 :]) == "damaged"
    assert reason(whole[:middle] + whole) == "damaged"  # a torn file with the next one behind it


def test_lost_restarts_of_a_jpeg_are_damage() -> None:
    whole = noisy_jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 2)
    decode_image(whole)
    first, second = whole.index(b"\xff\xd1"), whole.index(b"\xff\xd2")
    assert reason(whole[:first] + whole[second:]) == "damaged"


def test_zeros_in_place_of_pixel_data_are_damage() -> None:
    whole = noisy_jpeg()
    middle = len(whole) // 2
    assert reason(whole[:middle] + bytes(300) + whole[middle + 300 :]) == "damaged"


@pytest.mark.parametrize("min_hw", [None, (12, 12)])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.95])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_pixel_data_that_ends_early_is_truncated(
    orientation: int, share: float, min_hw: tuple[int, int] | None
) -> None:
    exif = Pillow.Exif()
    exif[274] = orientation
    pixels = np.random.default_rng(0).integers(0, 255, (96, 112, 3), np.uint8)
    whole = encoded(pixels, "JPEG", exif=exif)
    decode_image(whole, min_hw)
    assert reason(whole[: int(len(whole) * share)] + b"\xff\xd9", min_hw) == "truncated"


@pytest.mark.parametrize("kind", ["L", "RGB"])
@pytest.mark.parametrize("min_hw", [None, (12, 12)])
def test_a_picture_with_a_corner_of_middle_grey_is_whole(
    kind: str, min_hw: tuple[int, int] | None
) -> None:
    """Decoders fill what is missing with the same grey."""
    pixels = np.random.default_rng(0).integers(0, 255, (96, 112, 3), np.uint8)
    pixels[64:, 64:] = 128
    data = encoded(np.asarray(Pillow.fromarray(pixels).convert(kind)), "JPEG")
    assert (decode_image(data, min_hw)[0][-1, -1] == 128).all()


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}])
@pytest.mark.parametrize("level", [0, 127, 255])
def test_an_even_picture_is_no_damage(level: int, options: dict[str, bool]) -> None:
    """Its pixel data may be nearly all zeros."""
    for shape in ((600, 800), (600, 800, 3)):
        decode_image(encoded(np.full(shape, level, np.uint8), "JPEG", **options))


def test_a_second_picture_behind_a_jpeg_does_no_harm() -> None:
    decode_image(noisy_jpeg() + noisy_jpeg(size=32))
