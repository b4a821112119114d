"""Packs: what is in them, when they are made anew, and that nothing half-written ever looks whole."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from fixtures_pictures import encode, legacy_zip, pictures, pixels, png, write, zipped
from ganforge.errors import PicturesError
from ganforge.pictures import PackOptions, make_pack, open_pack, packing, prepare
from ganforge.pictures.readers import find_collection

SMALL = PackOptions(height=16, width=16)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "the cache 缓存"
    monkeypatch.setenv("GANFORGE_CACHE", str(folder))
    return folder


def made(cache) -> list[str]:
    return sorted(path.name for path in (cache / "packs").iterdir())


def age(folder: Path) -> None:
    """Make dates old enough to be trusted."""
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (1_000_000_000, 1_000_000_000))


def test_a_pack_holds_pictures_names_captions_attributes(tmp_path):
    files = pictures(20) | {"broken.png": png(50)[:-30], "notes.txt": b"x", "twice.png": png(3)}
    files["metadata.csv"] = "file_name,text,hair\n000.png,a 猫,red\n001.png,,blue\n002.png,b,red\n".encode()
    pack = make_pack(write(tmp_path / "in put", files), SMALL)
    assert pack.pictures.shape == (20, 16, 16, 3)
    assert pack.pictures.dtype == np.uint8
    assert isinstance(pack.pictures, np.memmap)
    assert pack.name(0) == "000.png"
    assert pack.captions(0) == ("a 猫",)
    assert pack.captions(1) == ()
    assert pack.captioned == 2
    assert pack.schema.decode(pack.table[0]) == {"hair": "red"}
    assert np.isnan(pack.table[5]).all()
    assert {s.name: s.reason.split(":")[0] for s in pack.skipped} == {
        "broken.png": "cut off",
        "notes.txt": "not a picture",
    }
    assert pack.duplicates == ["twice.png"]
    assert any("exact copy" in note for note in pack.notes)
    assert any("flip" in note for note in pack.notes)
    expected = find_collection(tmp_path / "in put")
    assert pack.name(7) == expected.names[7]


def test_all_of_a_pack_is_looked_at_for_black_or_white(tmp_path):
    images = np.random.default_rng(0).integers(1, 255, (199, 16, 16, 3), np.uint8)
    images[100:, 4:] = 0
    np.savez(tmp_path / "sorted.npz", images=images)
    assert make_pack(tmp_path / "sorted.npz", SMALL).saturated == pytest.approx(0.75 * 99 / 199, rel=0.02)


@pytest.mark.parametrize("count", [16, 1200])
def test_a_pack_knows_how_much_of_it_is_black_or_white(tmp_path, count):
    images = np.full((count, 16, 16, 3), 128, np.uint8)
    images[:, 0, 0] = np.stack(np.unravel_index(np.arange(count), (12, 10, 10)), 1) * 10 + 5  # no two the same
    images[:, 4:8], images[:, 8:12] = 0, 255
    np.savez(tmp_path / "flat.npz", images=images)
    assert make_pack(tmp_path / "flat.npz", SMALL).saturated == 0.5


def test_what_was_done_to_pictures_is_said(tmp_path):
    files = pictures(16) | {"wide.png": png(70, 20, 40), "wrong.jpg": png(71)}
    notes = " ".join(make_pack(write(tmp_path / "p", files), PackOptions(height=32, width=32)).notes)
    assert "1 picture was cropped from 40×20 to the centre square" in notes
    assert "18 pictures were smaller than 32×32" in notes
    assert "1 picture was read by content" in notes
    padded = make_pack(tmp_path / "p", PackOptions(height=16, width=16, fit="pad", background="#0000ff"))
    assert any("padded with #0000ff from 40×20" in note for note in padded.notes)
    wide = padded.pictures[[padded.name(i) for i in range(len(padded))].index("wide.png")]
    assert tuple(wide[0, 0]) == (0, 0, 255)
    oblong = make_pack(tmp_path / "p", PackOptions(height=16, width=32))
    assert oblong.pictures.shape[1:] == (16, 32, 3)


@pytest.mark.parametrize(
    "wrong", [{"height": 4}, {"background": "redd"}, {"fit": "squeeze"}, {"size": 3}, {"celeba_crop": "9"}]
)
def test_options_are_checked(wrong):
    with pytest.raises(ValidationError):
        PackOptions(**wrong)


def test_the_crop_of_celeba_is_chosen(tmp_path):
    files = {}
    for i in range(16):
        picture = np.full((218, 178, 3), i, np.uint8)
        picture[55 : 55 + 108, 35 : 35 + 108] = 255 - i
        files[f"img_align_celeba/{i:06d}.jpg"] = encode(picture, "JPEG", quality=95)
    folder = write(tmp_path / "c", files)
    face = make_pack(folder, PackOptions(height=28, width=28, celeba_crop="108"))
    wide = make_pack(folder, PackOptions(height=28, width=28))
    assert face.pictures[0].min() > 240
    assert wide.pictures[0].min() < 15
    assert wide.about.layout == "celeba"


def test_a_second_call_is_found_in_the_cache_without_reading(tmp_path, cache, monkeypatch):
    folder = write(tmp_path / "p", pictures(16))
    age(folder)
    first = make_pack(folder, SMALL)
    monkeypatch.setattr(packing, "find_collection", lambda _: pytest.fail("looked again"))
    again = make_pack(folder, SMALL)
    assert again.path == first.path
    assert made(cache) == [first.digest]


def test_fresh_dates_are_not_trusted_and_content_decides(tmp_path, cache):
    folder = write(tmp_path / "p", pictures(16))
    first = make_pack(folder, SMALL)
    status = (folder / "000.png").stat()
    other = png(0).replace(b"IDAT", b"IDAT")  # same bytes: found again by content
    (folder / "000.png").write_bytes(other)
    assert make_pack(folder, SMALL).path == first.path
    data = bytearray(encode(255 - pixels(0), compress_level=0))
    for name in pictures(16):
        (folder / name).write_bytes(encode(pixels(int(name[:3])), compress_level=0))
    second = make_pack(folder, SMALL)
    (folder / "000.png").write_bytes(data)
    os.utime(folder / "000.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    third = make_pack(folder, SMALL)
    assert len({first.digest, second.digest, third.digest}) == 3
    assert not np.array_equal(second.pictures[0], third.pictures[0])
    assert make_pack(folder, SMALL.model_copy(update={"fit": "pad"})).digest != third.digest


def test_copies_elsewhere_share_a_pack(tmp_path, cache):
    write(tmp_path / "a", pictures(16))
    shutil.copytree(tmp_path / "a", tmp_path / "b 副本")
    assert make_pack(tmp_path / "a", SMALL).path == make_pack(tmp_path / "b 副本", SMALL).path
    assert len(made(cache)) == 1


def test_too_few_pictures_names_what_was_skipped(tmp_path, cache):
    folder = write(tmp_path / "p", pictures(15) | {"bad.png": b"no picture", "copy.png": png(0)})
    with pytest.raises(PicturesError, match=r"(?s)15 usable.*at least 16.*twice.*bad\.png: not a picture"):
        make_pack(folder, SMALL)
    assert made(cache) == []
    assert [path for path in (cache / "building").iterdir() if path.is_dir()] == []


def test_workers_give_the_same_pack_as_one_process(tmp_path, monkeypatch, cache):
    files = pictures(150, pattern="图{:03d}.png") | {"x.png": b"junk"}
    path = legacy_zip(tmp_path / "z.zip", files, "gbk")
    alone = make_pack(path, SMALL)
    pixels_alone = np.array(alone.pictures)
    monkeypatch.setattr(prepare, "ALONE", 0)
    steps = []
    several = make_pack(path, SMALL, cache=tmp_path / "other", workers=2, progress=lambda *a: steps.append(a))
    assert np.array_equal(several.pictures, pixels_alone)
    assert several.digest == alone.digest
    assert steps[-1] == ("packing", 151, 151)
    assert [d for w, d, _ in steps if w == "packing"] == sorted(d for w, d, _ in steps if w == "packing")


def script(text: str, cache: Path, **environment: str) -> subprocess.Popen:
    env = {**os.environ, "GANFORGE_CACHE": str(cache), "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    return subprocess.Popen(
        [sys.executable, "-c", text], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


MAKE = """
import sys, time
from ganforge.pictures import PackOptions, make_pack, prepare
def slowly(what, done, total):
    print(what, done, flush=True)
    time.sleep(0.05)
pack = make_pack({path!r}, PackOptions(height=16, width=16), workers=1, progress=slowly)
print("whole", pack.digest, len(pack), "torch" in sys.modules)
"""


def test_killed_while_packing_leaves_nothing_and_the_next_call_starts_again(tmp_path, cache):
    path = zipped(tmp_path / "z.zip", pictures(300))
    killed = script(MAKE.format(path=str(path)), cache)
    for line in killed.stdout:
        if line.startswith("packing 128"):
            break
    killed.kill()
    killed.communicate()
    left = [p for p in (cache / "building").iterdir() if p.is_dir()]
    assert left, "killed too late: nothing was tested"
    assert made(cache) == []
    with pytest.raises(PicturesError):
        open_pack(left[0])
    stranger = cache / "building" / "0123"
    stranger.mkdir()
    pack = make_pack(path, SMALL)
    assert len(pack) == 300
    assert [p for p in (cache / "building").iterdir() if p.is_dir()] == []


def test_two_processes_build_one_pack(tmp_path, cache):
    path = zipped(tmp_path / "z.zip", pictures(200))
    both = [script(MAKE.format(path=str(path)), cache) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    packed = sum("packing 64" in out for out, _ in outputs)
    assert packed == 1, "one packs, the other waits and finds the pack"
    assert all(out.rstrip().endswith("200 False") for out, _ in outputs), outputs
    assert len(made(cache)) == 1


def test_a_script_without_main_guard_may_use_workers(tmp_path, cache):
    path = zipped(tmp_path / "z.zip", pictures(200))
    code = (
        "print('started')\nfrom ganforge.pictures import PackOptions, make_pack, prepare\nprepare.ALONE = 0\n"
        f"print(len(make_pack({str(path)!r}, PackOptions(height=16, width=16), workers=2)))\n"
    )
    (tmp_path / "my script.py").write_text(code, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, tmp_path / "my script.py"], env=env, capture_output=True, check=False, text=True, timeout=60
    )
    assert done.stdout.split() == ["started", "200"], done.stderr


def test_damaged_packs_are_made_again(tmp_path, cache):
    folder = write(tmp_path / "p", pictures(16))
    pack = make_pack(folder, SMALL)
    with (pack.path / "pictures.u8").open("ab") as file:
        file.truncate(100)
    with pytest.raises(PicturesError, match="damaged"):
        open_pack(pack.path)
    assert len(np.array(make_pack(folder, SMALL).pictures)) == 16
    (pack.path / "pack.json").write_text("{}", encoding="utf-8")
    with pytest.raises(PicturesError, match="not a pack"):
        open_pack(pack.path)
    assert len(make_pack(folder, SMALL)) == 16
    with pytest.raises(PicturesError):
        open_pack(tmp_path / "nowhere")


def test_a_full_disk_is_one_clear_error(tmp_path, cache, monkeypatch):
    folder = write(tmp_path / "p", pictures(16))
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
        with pytest.raises(PicturesError, match=r"needs .* free"):
            make_pack(folder, SMALL)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        with pytest.raises(PicturesError, match="No space left"):
            make_pack(folder, SMALL)
    assert made(cache) == []
    assert len(make_pack(folder, SMALL)) == 16


def test_a_cache_that_cannot_be_written_is_one_clear_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(PicturesError, match="GANFORGE_CACHE"):
        make_pack(write(tmp_path / "p", pictures(16)), SMALL)


def test_pack_json_is_plain_data(tmp_path):
    pack = make_pack(write(tmp_path / "p", pictures(16)), SMALL)
    about = json.loads((pack.path / "pack.json").read_text(encoding="utf-8"))
    assert about["count"] == 16
    assert about["flip"] is False, "sixteen pictures are too few to tell"


def test_a_picture_that_vanishes_is_skipped(tmp_path, monkeypatch):
    folder = write(tmp_path / "p", pictures(17))
    found = find_collection(folder)
    (folder / "003.png").unlink()
    monkeypatch.setattr(packing, "find_collection", lambda _: found)
    pack = make_pack(folder, SMALL)
    assert [s.name for s in pack.skipped] == ["003.png"]


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_workers_end_with_a_killed_parent(tmp_path, cache):
    body = "    pathlib.Path(folder, str(os.getpid())).touch()\n    time.sleep(60)\n"
    job = f"import os, pathlib, time\ndef job(folder, n):\n{body}"
    (tmp_path / "slow_job.py").write_text(job, encoding="utf-8")
    pids = tmp_path / "pids"
    pids.mkdir()
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport slow_job\n"
        "from ganforge.pictures.workers import in_order\n"
        f"list(in_order(slow_job.job, {str(pids)!r}, [1, 2, 3, 4], 2))\n"
    )
    parent = script(code, cache, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    deadline = time.monotonic() + 30
    while len(list(pids.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = [int(path.name) for path in pids.iterdir()]
    parent.kill()
    parent.communicate()
    assert len(workers) == 2
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
