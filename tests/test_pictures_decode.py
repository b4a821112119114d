"""Every mode, format and fault of a picture file."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from fixtures_pictures import encode, pixels, png
from ganforge.pictures.collection import UnreadablePicture
from ganforge.pictures.decode import decode, format_of, from_array, looks_like_picture
from ganforge.pictures.fit import enough, fit

WHITE = (255, 255, 255)


def close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    return a.shape == b.shape and np.abs(a.astype(int) - b.astype(int)).mean() <= tolerance


@pytest.mark.parametrize(
    ("form", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("PPM", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 3),
        ("WEBP", {"quality": 95}, 5),
        ("GIF", {}, 12),
        ("AVIF", {"quality": 95}, 5),
    ],
)
def test_every_format_gives_the_picture_back(form, options, tolerance):
    if form in ("AVIF", "WEBP") and not features.check(form.lower()):
        pytest.skip(f"this Pillow was built without {form}")
    original = pixels(1, 40, 24)
    data = encode(original, form, **options)
    got, facts = decode(data)
    assert close(got, original, tolerance)
    assert (facts.width, facts.height, facts.format) == (24, 40, form)
    assert looks_like_picture(data[:32]) or form == "PPM"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode):
    grey = np.tile(np.linspace(0, 255, 32), (16, 1))
    image = Image.fromarray(grey.astype(np.uint8))
    if mode == "I;16":
        image = Image.fromarray((grey * 257).astype(np.uint16))
    elif mode == "I":
        image = Image.fromarray((grey * 257).astype(np.int32))
    elif mode == "F":
        image = Image.fromarray((grey / 255).astype(np.float32))
    elif mode == "LAB":
        to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        image = ImageCms.applyTransform(image.convert("RGB"), to_lab)
    elif mode in ("HSV", "YCbCr", "CMYK"):
        image = image.convert("RGB").convert(mode)
    else:
        image = image.convert(mode)
    form = "JPEG" if mode == "YCbCr" else "TIFF" if mode in ("CMYK", "LAB", "I", "F") else "PNG"
    if mode == "HSV":
        with pytest.raises(UnreadablePicture):
            decode(b"no format stores HSV")
        return
    got, facts = decode(encode(image, form))
    assert got.dtype == np.uint8
    assert got.shape == (16, 32, 3)
    if mode == "1":
        assert set(np.unique(got)) <= {0, 255}
    else:
        assert np.abs(got[0, :, 1].astype(float) - grey[0]).max() < 6, facts.mode


def test_16_bit_pictures_use_the_bits_they_have():
    ramp = np.tile(np.linspace(0, 1, 16), (16, 1))
    for top, form in ((4095, "TIFF"), (65535, "TIFF"), (65535, "PNG"), (255, "TIFF")):
        got, _ = decode(encode((ramp * top).astype(np.uint16), form))
        assert got[0, -1, 0] >= 254
        assert got[0, 0, 0] == 0
    dark, _ = decode(encode((ramp * 4095).astype(np.uint16), "PNG"))
    assert dark[0, -1, 0] == 16, "a 16-bit PNG uses its whole range by definition"


def test_orientation_is_applied():
    upright = pixels(3, 24, 40)
    for value in range(1, 9):
        undo = {
            1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: a.transpose(1, 0, 2),
            6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1),
        }[value]  # fmt: skip
        exif = Image.Exif()
        exif[0x0112] = value
        data = encode(np.ascontiguousarray(undo(upright)), "PNG", exif=exif)
        got, facts = decode(data)
        assert np.array_equal(got, upright), value
        assert (facts.width, facts.height) == (40, 24)


def test_a_large_jpeg_is_decoded_at_a_fraction_and_still_turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = pixels(4, 1600, 1200)
    got, facts = decode(encode(picture, "JPEG", exif=exif, quality=95), least=enough((64, 64)))
    assert (facts.width, facts.height) == (1600, 1200)
    assert got.shape[0] < 1200
    expected = fit(np.ascontiguousarray(np.rot90(picture, -1)), (64, 64)).pixels
    assert close(fit(got, (64, 64)).pixels, expected, 3)


def test_transparency_lies_over_the_background():
    rgba = np.zeros((10, 10, 4), np.uint8)
    rgba[:, :5] = (200, 10, 10, 255)
    rgba[:, 5:] = (0, 0, 0, 0)
    for background in (WHITE, (0, 0, 0), (12, 34, 56)):
        for form in ("PNG", "WEBP", "TIFF"):
            got, _ = decode(encode(rgba, form, **({"lossless": True} if form == "WEBP" else {})), background=background)
            assert tuple(got[0, 0]) == (200, 10, 10)
            assert tuple(got[0, 9]) == background
    half = rgba.copy()
    half[..., 3] = 128
    assert abs(int(decode(encode(half))[0][0, 0, 1]) - (10 * 128 + 255 * 127) // 255) <= 1
    palette = Image.fromarray(rgba).convert("P")
    palette.info["transparency"] = palette.getpixel((9, 0))
    assert tuple(decode(encode(palette, "GIF"), background=(1, 2, 3))[0][0, 9]) == (1, 2, 3)
    grey = Image.new("LA", (9, 9), (100, 0))
    assert (decode(encode(grey, "PNG"), background=(9, 8, 7))[0] == (9, 8, 7)).all()
    coloured_key = encode(np.full((9, 9, 3), 77, np.uint8), "PNG", transparency=(77, 77, 77))
    assert (decode(coloured_key, background=(5, 5, 5))[0] == 5).all()


def test_colours_are_brought_to_srgb():
    # A matrix profile whose red and green primaries are exchanged, written by hand from the sRGB one.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = profile[green : green + 4], profile[red : red + 4]
    for name in (b"s\0R\0G\0B", b"sRGB"):
        while (at := profile.find(name, 128)) > 0:
            profile[at : at + len(name)] = name.replace(b"R", b"X")
    picture = np.full((9, 9, 3), (255, 0, 0), np.uint8)
    got, _ = decode(encode(picture, "PNG", icc_profile=bytes(profile)))
    assert got[0, 0, 1] > 200
    assert got[0, 0, 0] < 60
    damaged, _ = decode(encode(picture, "PNG", icc_profile=bytes(profile)[:200]))
    assert tuple(damaged[0, 0]) == (255, 0, 0), "a damaged profile is no reason to lose the picture"


def test_cmyk_jpeg_is_not_inverted():
    cmyk = Image.fromarray(np.full((16, 16, 3), (250, 250, 250), np.uint8)).convert("CMYK")
    got, facts = decode(encode(cmyk, "JPEG"))
    assert facts.mode == "CMYK"
    assert got.mean() > 200


def test_of_what_moves_one_frame_is_used():
    frames = [Image.fromarray(pixels(i)) for i in range(5)]
    for form in ("GIF", "WEBP", "TIFF", "PNG"):
        buffer = io.BytesIO()
        frames[0].save(
            buffer, form, save_all=True, append_images=frames[1:], **({"lossless": True} if form == "WEBP" else {})
        )
        got, facts = decode(buffer.getvalue())
        assert facts.frames == 5
        assert close(got, pixels(0), 12)
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), "white").save(buffer, "GIF", save_all=True, append_images=frames)
    assert decode(buffer.getvalue())[0].std() > 5, "an animation that fades in from nothing"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello, I am no picture", "not a picture"),
        (b"\0" * 500, "zeros only"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
        (encode(np.zeros((1, 1, 3), np.uint8)), "1×1"),
        (encode(np.zeros((300, 2, 3), np.uint8)), "2×300"),
        (png(0)[:-40], "cut off"),
        (encode(pixels(0, 200, 200), "JPEG")[:-300], "cut off"),
        (png(0)[:20], "damaged|cut off"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_reason(data, reason):
    with pytest.raises(UnreadablePicture, match=reason):
        decode(data)


def test_damaged_tiffs_print_nothing(capfd):
    data = bytearray(encode(pixels(1, 64, 64), "TIFF", compression="tiff_lzw"))
    for at in range(200, len(data) - 300, 7):
        data[at] ^= 0x5A
    with pytest.raises(UnreadablePicture):
        decode(bytes(data))
    assert capfd.readouterr() == ("", "")


def test_a_gigapixel_header_is_refused_before_decoding():
    data = bytearray(png(0))
    data[16:24] = (40_000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    with pytest.raises(UnreadablePicture, match="pixels"):
        decode(bytes(data))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_damaged_files_are_read_or_refused_never_anything_else(data):
    form = data.draw(
        st.sampled_from([f for f in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF") if f in _WRITABLE])
    )
    whole = bytearray(_WRITABLE[form])
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        got, facts = decode(bytes(whole[:cut]) if data.draw(st.booleans()) else bytes(whole))
    except UnreadablePicture:
        return
    assert got.dtype == np.uint8
    assert got.ndim == 3
    assert got.shape[2] == 3
    assert facts.width * facts.height <= 178_956_970


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_noise_is_refused(data):
    with pytest.raises(UnreadablePicture):
        decode(data)


def _writable() -> dict[str, bytes]:
    Image.init()
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        form: encode(pixels(5, 24, 24), form, **({"exif": exif} if form in ("JPEG", "PNG", "WEBP", "TIFF") else {}))
        for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
        if form in Image.SAVE
    }


_WRITABLE = _writable()


# --- fitting ----------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    h=st.integers(8, 90), w=st.integers(8, 90), height=st.integers(8, 40), width=st.integers(8, 40), pad=st.booleans()
)
def test_any_shape_fits_any_shape(h, w, height, width, pad):
    fitted = fit(pixels(1, h, w), (height, width), pad=pad)
    assert fitted.pixels.shape == (height, width, 3)
    assert fitted.reshaped == (w * height != h * width)


def test_crop_keeps_the_middle_and_pad_keeps_everything():
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    assert fit(wide, (20, 20)).pixels.min() == 255
    padded = fit(wide, (60, 60), pad=True, background=(0, 0, 255)).pixels
    assert tuple(padded[0, 0]) == (0, 0, 255)
    assert tuple(padded[30, 30]) == (255, 255, 255)
    assert tuple(padded[30, 5]) == (0, 0, 0)


def test_the_tutorial_crop_of_celeba_starts_where_the_tutorial_says():
    picture = np.zeros((218, 178, 3), np.uint8)
    picture[55 : 55 + 108, 35 : 35 + 108] = 255
    assert fit(picture, (108, 108), centre=(108, 108)).pixels.min() == 255
    assert fit(picture, (28, 28), centre=(108, 108)).pixels.min() == 255


def test_shrinking_does_not_alias():
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    small = fit(stripes, (32, 32)).pixels
    assert np.abs(small.astype(int) - 128).max() < 12


def test_arrays_of_grey_and_alpha_become_rgb():
    assert from_array(np.full((9, 9), 7, np.uint8))[0].shape == (9, 9, 3)
    clear = np.zeros((9, 9, 4), np.uint8)
    assert (from_array(clear, (1, 2, 3))[0] == (1, 2, 3)).all()
    with pytest.raises(UnreadablePicture):
        from_array(np.zeros((2, 2), np.uint8))


def test_suffixes():
    assert format_of("a/B.JPeG") == "JPEG"
    assert format_of("a/b.txt") is None
    assert format_of("png") is None
