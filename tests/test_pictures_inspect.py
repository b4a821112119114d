"""`ganforge data inspect`: what it counts, what it lists, and on which terminals."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fixtures_pictures import encode, idx_gz, pictures, pixels, png, write, zipped
from ganforge.cli.data import data_app
from ganforge.errors import PicturesError, UsageError
from ganforge.pictures import contact_sheet, inspect


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path / "cache"))


def mixed(tmp_path):
    files = pictures(18, pattern="猫/{:02d}.png") | {
        "dog/wide.jpg": encode(pixels(90, 30, 60), "JPEG"), "dog/grey.png": encode(pixels(91)[..., 0]),
        "dog/again.png": png(2), "dog/cut.png": png(92)[:-30], "dog/empty.jpg": b"",
        "dog/tiny.gif": encode(pixels(0, 1, 1), "GIF"),
        "dog/wrong.jpg": png(93), "dog/story.txt": b"once upon a time",
    }  # fmt: skip
    rows = ["file_name;text;mood;age", "猫/00.png;黒い猫;happy;3", "猫/01.png;a cat;sad;4,5"]
    files["metadata.csv"] = "\n".join(rows).encode("gbk")
    return write(tmp_path / "all sorts", files)


def test_everything_is_counted_and_every_fault_listed(tmp_path):
    found = inspect(mixed(tmp_path))
    assert found.pictures == 22
    assert found.usable == 21
    assert found.sizes == {"20x20": 21, "60x30": 1}
    assert found.modes == {"RGB": 21, "L": 1}
    assert found.formats == {"PNG": 21, "JPEG": 1}
    assert found.attributes["mood"] == {"kind": "choice", "known": 2, "values": {"happy": 1, "sad": 1}}
    assert found.captions == {"pictures": 2, "total": 2, "examples": ["黒い猫", "a cat"]}
    assert {s.name for s in found.skipped} == {"dog/cut.png", "dog/empty.jpg", "dog/tiny.gif", "dog/story.txt"}
    assert all(s.reason for s in found.skipped)
    assert found.duplicates == ["猫/02.png"] or found.duplicates == ["dog/again.png"]
    assert any("suffix is wrong" in note for note in found.notes)
    assert found.suggested_size == 32


def test_json_alone_on_stdout(tmp_path):
    done = CliRunner().invoke(data_app, ["inspect", str(mixed(tmp_path)), "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["pictures"] == 22
    assert {"name": "dog/empty.jpg", "reason": "empty (0 bytes)"} in found["skipped"]
    assert set(found) >= {"pictures", "skipped", "sizes", "modes", "attributes", "captions"}


@pytest.mark.parametrize("encoding", ["gbk", "cp932", "ascii", "utf-8"])
def test_every_terminal_survives(tmp_path, encoding):
    env = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "0"}
    code = "from ganforge.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, "data", "inspect", str(mixed(tmp_path))],
        env=env,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    out = done.stdout.decode(encoding)
    assert "22 pictures" in out
    for name in ("dog/cut.png: cut off", "dog/empty.jpg: empty", "dog/tiny.gif: 1", "dog/story.txt: not a picture"):
        assert name in out
    if encoding != "ascii":
        assert "猫/00.png" in out or "黒い猫" in out


def test_the_sheet_is_new_or_an_error(tmp_path):
    folder, sheet = mixed(tmp_path), tmp_path / "sheet.png"
    done = CliRunner().invoke(data_app, ["inspect", str(folder), "--sheet", str(sheet)])
    assert done.exit_code == 0
    with Image.open(sheet) as drawn:
        assert min(drawn.size) > 96 * 4
    before = sheet.read_bytes()
    with pytest.raises(UsageError, match="there already"):
        contact_sheet(folder, sheet)
    assert isinstance(
        CliRunner().invoke(data_app, ["inspect", str(folder), "--sheet", str(sheet)]).exception, UsageError
    )
    assert sheet.read_bytes() == before
    with pytest.raises(UsageError, match="PNG"):
        contact_sheet(folder, tmp_path / "sheet.jpg")
    with pytest.raises(UsageError, match="cannot be written"):
        contact_sheet(folder, tmp_path / "all sorts" / "metadata.csv" / "sheet.png")


def test_the_sheet_shows_the_crop_of_celeba(tmp_path):
    files = {}
    for i in range(4):
        picture = np.full((218, 178, 3), (0, 0, 40 * i), np.uint8)
        picture[55 : 55 + 108, 35 : 35 + 108] = 255
        files[f"img_align_celeba/{i:06d}.jpg"] = encode(picture, "JPEG", quality=95)
    path = zipped(tmp_path / "c.zip", files)
    contact_sheet(path, tmp_path / "108.png", crop="108")
    contact_sheet(path, tmp_path / "178.png", crop="178")
    for name, low, high in (("108.png", 250, 256), ("178.png", 0, 200)):
        with Image.open(tmp_path / name) as sheet:
            assert low < np.asarray(sheet).mean() < high


def test_nothing_readable_is_an_error_that_names_files(tmp_path):
    folder = write(tmp_path / "p", {"a.png": b"", "b.jpg": b"junk"})
    with pytest.raises(PicturesError, match=r"(?s)a\.png: empty.*b\.jpg: not a picture"):
        inspect(folder)


def test_arrays_have_sizes_too(tmp_path):
    images = np.stack([pixels(i, 28, 28)[..., 0] for i in range(40)])
    path = write(tmp_path, {"train-images-idx3-ubyte.gz": idx_gz(images)}) / "train-images-idx3-ubyte.gz"
    found = inspect(path)
    assert found.sizes == {"28x28": 40}
    assert found.layout == "idx"
    assert found.suggested_size == 32


def test_names_cannot_steer_the_terminal(tmp_path):
    files = pictures(2) | {"\x1b[2Jevil\r.txt": b"x"}
    done = CliRunner().invoke(data_app, ["inspect", str(zipped(tmp_path / "z.zip", files))])
    assert "?[2Jevil?.txt: not a picture" in done.stdout
    assert "\x1b[2J" not in done.stdout
