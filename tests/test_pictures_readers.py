"""Every layout, written by the tests in its own format, and every fault of it."""

import csv
import gzip
import io
import json
import pickle
import tarfile
import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures_pictures import encode, idx, idx_gz, legacy_zip, pictures, pixels, png, write, zipped
from ganforge.attributes import Choice, Flag
from ganforge.errors import GanforgeError, PicturesError, UsageError
from ganforge.pictures import find_collection
from ganforge.pictures.collection import NO_SPLIT, TEST, TRAIN, VALIDATION
from ganforge.pictures.decode import decode
from ganforge.pictures.readers import idx as idx_reader
from ganforge.pictures.readers.tables import read_rows
from ganforge.pictures.texts import decode_names, decode_text

SLOW_FIXTURES = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path / "own cache"))


def labels(collection, name="label"):
    attribute = collection.annotations.schema.names.index(name)
    column = collection.annotations.table[:, attribute]
    return [collection.annotations.schema.attributes[attribute].decode(float(v)) for v in column]


def as_tar(path, files, mode="w"):
    with tarfile.open(path, mode) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def containers(tmp_path, files):
    """The same files as folder, zip and tars."""
    yield write(tmp_path / "a folder 图", files)
    yield zipped(tmp_path / "a.zip", files)
    for mode, suffix in (("w", ".tar"), ("w:gz", ".tar.gz"), ("w:xz", ".tar.xz"), ("w:bz2", ".tbz2")):
        yield as_tar(tmp_path / f"a{suffix}", files, mode)


# --- folders ----------------------------------------------------------------------------------------------------------


def test_nested_pictures_are_the_same_in_every_container(tmp_path):
    files = {"top/a.png": png(0), "top/x/y/z/b.png": png(1), "top/x/c.PNG": png(2), "top/notes.txt": b"hello"}
    quiet = {"top/.DS_Store": b"x", "__MACOSX/top/._a.png": b"x", "top/Thumbs.db": b"x"}
    for path in containers(tmp_path, files | quiet):
        found = find_collection(str(path))
        assert found.layout == "folder"
        assert [name.rsplit("/", 1)[-1] for name in found.names] == ["a.png", "c.PNG", "b.png"]
        assert [s.reason for s in found.skipped] == ["not a picture"]
        again = pickle.loads(pickle.dumps(found.pictures))
        assert [again.read(i, None) for i in range(3)] == [png(0), png(2), png(1)]


def test_class_folders_with_and_without_splits(tmp_path):
    files = pictures(3, pattern="猫/{}.png") | pictures(4, 10, "dog/{}.png")
    for path in containers(tmp_path / "plain", files) if (tmp_path / "plain").mkdir() is None else ():
        found = find_collection(path)
        assert found.layout == "class folders"
        assert sorted(labels(found)) == ["dog"] * 4 + ["猫"] * 3
    split = pictures(2, 0, "train/cat/{}.png") | pictures(2, 9, "train/dog/{}.png") | pictures(2, 20, "test/cat/{}.png")
    found = find_collection(write(tmp_path / "split", split))
    assert found.layout == "class folders"
    assert found.annotations.splits.tolist() == [TEST] * 2 + [TRAIN] * 4
    numbered = find_collection(
        write(tmp_path / "n", {f"{c}/{i}.png": png(9 * c + i) for c in range(30) for i in range(2)})
    )
    assert isinstance(numbered.annotations.schema.attributes[0], Choice)
    assert len(numbered.annotations.schema.attributes[0].values) == 30


def test_folders_of_years_and_albums_are_no_classes(tmp_path):
    files = pictures(4, 0, "2019/summer/{}.png") | pictures(4, 9, "2020/{}.png")
    assert find_collection(write(tmp_path, files)).layout == "folder"


def test_pictures_without_suffix_are_found_by_content(tmp_path):
    found = find_collection(write(tmp_path, {"a": png(0), "b.dat": encode(pixels(1), "JPEG"), "c": b"no"}))
    assert list(found.names) == ["a", "b.dat"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "nothing here", "nothing at"),
        (lambda p: write(p, {"x.png": png(0)}) / "x.png", "single picture"),
        (lambda p: write(p, {"readme.md": b"x"}), "no pictures"),
        (lambda p: write(p, {"x.zip": b""}) / "x.zip", "empty"),
        (lambda p: write(p, {"x.zip": b"PK\x03\x04 broken"}) / "x.zip", "zip"),
        (lambda p: write(p, {"x.tar.gz": b"\x1f\x8b broken"}) / "x.tar.gz", "tar"),
        (lambda p: write(p, {"x.rar": b"Rar!"}) / "x.rar", "unpack"),
        (lambda p: write(p, {"x.npz": b"PK"}) / "x.npz", "npz"),
        (lambda p: write(p, {"inner.zip": b"PK"}), "inner.zip"),
    ],
)
def test_what_is_no_collection_is_one_clear_error(tmp_path, make, words):
    with pytest.raises(GanforgeError, match=words):
        find_collection(make(tmp_path))


def test_a_misspelt_path_names_the_nearest(tmp_path):
    write(tmp_path / "flowers", pictures(1))
    with pytest.raises(PicturesError, match="flowers"):
        find_collection(tmp_path / "flwoers")


# --- archives: names, hostility ---------------------------------------------------------------------------------------

CHINESE = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动"
    "同工也能下过子说产种面而方后多定行学法所民得经"
)
KANJI = (
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地"
    "合市業内相方四定今回新場金員九入選立開手米力学問高代明実円関"
)
KANA = (
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらり"
    "るれろわをんアイウエオカキクケコサシスセソ"
)


@SLOW_FIXTURES
@given(names=st.lists(st.text(CHINESE, min_size=2, max_size=8), min_size=2, max_size=6, unique=True))
def test_chinese_names_without_the_utf8_flag(tmp_path, names):
    files = {f"{name}.png": png(i) for i, name in enumerate(names)}
    found = find_collection(legacy_zip(tmp_path / "z.zip", files, "gbk"))
    assert sorted(found.names) == sorted(files)
    assert [found.pictures.read(i, None) for i in range(len(files))] == [files[name] for name in found.names]


@SLOW_FIXTURES
@given(names=st.lists(st.text(KANJI + KANA * 2, min_size=3, max_size=8), min_size=2, max_size=6, unique=True))
def test_japanese_names_without_the_utf8_flag(tmp_path, names):
    files = {unicodedata.normalize("NFC", f"{name}.png"): png(i) for i, name in enumerate(names)}
    found = find_collection(legacy_zip(tmp_path / "z.zip", files, "cp932"))
    assert sorted(found.names) == sorted(files)


def test_other_encodings_of_names():
    for encoding, names in {
        "utf-8": ["照片.png", "фото.png"], "cp437": ["Müller.png", "été.png", "niño.png"],
        "big5": ["照片一張.png", "我們的花園.png"], "euc_kr": ["사진하나.png", "우리집고양이.png", "바다와하늘.png"],
        "cp866": ["Фотография.png", "Кошка на окне.png"], "ascii": ["plain.png"],
    }.items():  # fmt: skip
        assert decode_names([name.encode(encoding) for name in names]) == names, encoding


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=20), max_size=5))
def test_any_bytes_are_some_name(names):
    assert len(decode_names(names)) == len(names)


def test_hostile_members_are_listed_and_the_rest_is_used(tmp_path):
    files = {
        "../evil.png": png(1), "/etc/evil.png": png(2), "C:\\evil.png": png(3), "a/../../evil.png": png(4),
        "good.png": png(5), "inner.zip": b"PK", "inner.tar.gz": b"x",
    }  # fmt: skip
    for path in (zipped(tmp_path / "z.zip", files), as_tar(tmp_path / "t.tar", files)):
        found = find_collection(path)
        assert list(found.names) == ["good.png"]
        reasons = {s.name: s.reason for s in found.skipped}
        assert reasons["inner.zip"] == reasons["inner.tar.gz"] == "an archive inside an archive: unpack it first"
        assert sum("unsafe name" in reason for reason in reasons.values()) == 4
    assert not (tmp_path.parent / "evil.png").exists()


def test_links_and_devices_in_archives_are_listed(tmp_path):
    path = tmp_path / "t.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind in (
            ("link.png", tarfile.SYMTYPE),
            ("hard.png", tarfile.LNKTYPE),
            ("pipe.png", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        info = tarfile.TarInfo("a.png")
        info.size = len(png(0))
        tar.addfile(info, io.BytesIO(png(0)))
    found = find_collection(path)
    assert list(found.names) == ["a.png"]
    assert {s.name for s in found.skipped} == {"link.png", "hard.png", "pipe.png"}


def test_encrypted_members_and_repeated_names_are_listed(tmp_path):
    path = zipped(tmp_path / "z.zip", {"a.png": png(0), "secret.png": png(1)})
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x01\x02")
    raw[at + 8] |= 1
    path.write_bytes(raw)
    assert [s.reason for s in find_collection(path).skipped] == ["encrypted"]


def test_a_cut_off_tar_gives_what_is_whole(tmp_path):
    path = as_tar(tmp_path / "t.tar", pictures(8))
    path.write_bytes(path.read_bytes()[: 5 * 1536])
    found = find_collection(path)
    assert 2 <= len(found) < 8
    assert any("cut off" in s.reason for s in found.skipped)


@SLOW_FIXTURES
@given(data=st.data())
def test_damaged_archives_are_read_or_refused_never_anything_else(tmp_path, data):
    kind = data.draw(st.sampled_from(["zip", "tar", "tar.gz"]))
    path = tmp_path / f"x.{kind}"
    files = pictures(3) | {"metadata.csv": b"file_name,text\n000.png,a\n"}
    (zipped(path, files) if kind == "zip" else as_tar(path, files, "w:gz" if kind == "tar.gz" else "w"))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(1, len(raw)))] if data.draw(st.booleans()) else raw)
    try:
        found = find_collection(path)
    except GanforgeError:
        return
    from ganforge.pictures.collection import UnreadablePicture

    for index in range(len(found)):
        try:
            decode(found.pictures.read(index, None))
        except UnreadablePicture:
            continue


def test_unreadable_folders_are_listed(tmp_path, monkeypatch):
    import os

    write(tmp_path, {"ok/a.png": png(0), "locked/b.png": png(1)})
    real = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find_collection(tmp_path)
    assert list(found.names) == ["ok/a.png"]
    assert [(s.name, s.reason) for s in found.skipped] == [("locked", "folder cannot be read: Permission denied")]


def test_circles_of_links_end(tmp_path):
    write(tmp_path, {"a/x.png": png(0)})
    try:
        (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
        (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    except OSError:
        pytest.skip("links need a privilege here")
    found = find_collection(tmp_path)
    assert "a/x.png" in found.names
    assert any("link back" in s.reason for s in found.skipped)
    assert any(s.reason == "a link to nothing" for s in found.skipped)


# --- metadata ---------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=30)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    rows=st.lists(st.tuples(TEXT, st.sampled_from(["red", "blue, dark", "a;b"])), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_tables_come_back_as_written(rows, delimiter, encoding, newline, quoting):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    writer.writerow(["file_name", "text", "hair"])
    for i, (text, hair) in enumerate(rows):
        writer.writerow([f"{i}.png", text, hair])
    read = read_rows("metadata.csv", buffer.getvalue().encode(encoding))
    assert [row.file for row in read.rows] == [f"{i}.png" for i in range(len(rows))]
    assert [row.attributes["hair"] for row in read.rows] == [hair for _, hair in rows]
    assert [row.captions for row in read.rows] == [[" ".join(text.split())] if text.strip() else [] for text, _ in rows]
    assert not read.trouble


@pytest.mark.parametrize(
    ("encoding", "caption"),
    [
        ("gbk", "蓝色长发戴眼镜的女孩，微笑着看向窗外"),
        ("cp932", "青い長い髪と眼鏡の女の子が笑っている"),
        ("utf-16-le", "plain words here"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_legacy_encodings_of_tables(encoding, caption, delimiter):
    lines = [delimiter.join(["file_name", "text"]), *[f"{i}.png{delimiter}{caption}" for i in range(40)]]
    read = read_rows("metadata.csv", "\r\n".join(lines).encode(encoding))
    assert [row.captions for row in read.rows] == [[caption]] * 40


def test_a_stray_quotation_mark_swallows_nothing():
    raw = b'file_name,text\n1.png,"unfinished\n2.png,5" tall\n3.png,"whole, with comma"\n'
    assert [row.file for row in read_rows("metadata.csv", raw).rows] == ["1.png", "2.png", "3.png"]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=300), st.sampled_from(["metadata.csv", "metadata.jsonl", "metadata.tsv"]))
def test_any_bytes_are_some_table(raw, name):
    read_rows(name, raw)
    read_rows(name, b"file_name,text\n" + raw)
    assert isinstance(decode_text(raw), str)


def test_deep_and_huge_json_is_told():
    raw = b"[" * 100_000 + b"\n" + b'{"file_name": "a.png", "n": 1' + b"0" * 5000 + b"}\n" + b'{"file_name": "b.png"}'
    read = read_rows("metadata.jsonl", raw)
    assert [row.file for row in read.rows][-1] == "b.png"
    assert "line 1" in read.trouble[0]


def test_imagefolder(tmp_path):
    rows = [
        {"file_name": "cat/0.png", "text": ["a cat", "猫"], "age": 3.5, "label": 7, "happy": True},
        {"file_name": "./cat\\1.PNG", "prompt": "another cat", "age": None, "label": 8, "happy": False},
        {"file_name": "gone.png", "text": "nothing"},
    ]
    files = {"cat/0.png": png(0), "cat/1.png": png(1), "dog/2.png": png(2), "LICENSE": b"free"}
    files["metadata.jsonl"] = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    for path in containers(tmp_path, files):
        found = find_collection(path)
        assert found.layout == "imagefolder"
        assert list(found.annotations.captions) == [("a cat", "猫"), ("another cat",), ()]
        assert labels(found) == ["7", "8", None]
        assert labels(found, "happy") == [True, False, None]
        assert isinstance(found.annotations.schema.attributes[0], Choice)
        assert "cat" not in found.annotations.schema.names
        assert ("gone.png", "named in metadata.jsonl, but not there") in [(s.name, s.reason) for s in found.skipped]
        assert any("1 pictures have no row" in remark for remark in found.remarks)


def test_imagefolder_with_a_table_a_split(tmp_path):
    files = {}
    for number, split in enumerate(("train", "validation", "test")):
        files |= {f"{split}/{i}.png": png(10 * number + i) for i in range(3)}
        files[f"{split}/metadata.csv"] = b"file_name;label\n0.png;a\n1.png;b\n2.png;a\n"
    found = find_collection(write(tmp_path, files))
    assert found.annotations.splits.tolist() == [TEST] * 3 + [TRAIN] * 3 + [VALIDATION] * 3
    assert labels(found) == ["a", "b", "a"] * 3


def test_rows_of_one_picture_add_captions_and_a_split_column_counts(tmp_path):
    table = "file_name,caption,split\n000.png,one,train\n000.png,two,train\n001.png,three,val\n"
    found = find_collection(write(tmp_path, pictures(2) | {"metadata.csv": table.encode()}))
    assert list(found.annotations.captions) == [("one", "two"), ("three",)]
    assert found.annotations.splits.tolist() == [TRAIN, VALIDATION]


@pytest.mark.parametrize("table", [b"", b"name,text\na,b\n", b"file_name,text\nother.png,x\n", b"\xff\xfe\x00", b'"'])
def test_a_table_that_does_not_fit_is_told_and_folders_count(tmp_path, table):
    files = pictures(2, 0, "a/{}.png") | pictures(2, 5, "b/{}.png") | {"metadata.csv": table}
    found = find_collection(write(tmp_path, files))
    assert found.layout == "class folders"
    assert any("metadata.csv" in remark for remark in found.remarks)


# --- CelebA -----------------------------------------------------------------------------------------------------------

NAMES = ["Smiling", "Male", "5_o_Clock_Shadow"]


def celeba_files(where="", suffix="txt"):
    files = {f"{where}img_align_celeba/{i:06d}.jpg": encode(pixels(i, 218, 178), "JPEG") for i in range(1, 5)}
    rows = [f"{i:06d}.jpg  1 -1 {'1' if i % 2 else '-1'}" for i in range(1, 4)] + ["000009.jpg -1 -1 -1"]
    splits = [f"{i:06d}.jpg {(i - 1) % 3}" for i in range(1, 5)]
    if suffix == "txt":
        files[f"{where}Anno/list_attr_celeba.txt"] = "\n".join(["4", " ".join(NAMES), *rows]).encode()
        files[f"{where}Eval/list_eval_partition.txt"] = "\n".join(splits).encode()
    else:
        comma = [",".join(row.split()) for row in rows]
        files[f"{where}list_attr_celeba.csv"] = "\r\n".join(["image_id," + ",".join(NAMES), *comma]).encode()
        files[f"{where}list_eval_partition.csv"] = "\r\n".join(
            ["image_id,partition", *[s.replace(" ", ",") for s in splits]]
        ).encode()
    return files


def check_celeba(found):
    assert found.layout == "celeba"
    assert len(found) == 4
    assert found.annotations.schema.attributes == tuple(Flag(name=name) for name in NAMES)
    expected = [[1, 0, 1], [1, 0, 0], [1, 0, 1], [np.nan] * 3]
    assert np.array_equal(found.annotations.table, np.array(expected, np.float32), equal_nan=True)
    assert found.annotations.splits.tolist() == [TRAIN, VALIDATION, TEST, TRAIN]
    assert found.crops == {"178": (178, 178), "108": (108, 108)}
    assert not found.skipped
    assert any("1 rows name pictures" in remark for remark in found.remarks)


@pytest.mark.parametrize("suffix", ["txt", "csv"])
@pytest.mark.parametrize("where", ["", "CelebA/"])
def test_celeba_in_every_container(tmp_path, suffix, where):
    for path in containers(tmp_path, celeba_files(where, suffix)):
        check_celeba(find_collection(path))


def test_celeba_as_released_with_its_zip(tmp_path):
    files = celeba_files()
    images = {name: data for name, data in files.items() if name.endswith(".jpg")}
    lists = {name: data for name, data in files.items() if not name.endswith(".jpg")}
    folder = write(tmp_path / "CelebA", lists)
    (folder / "Img").mkdir()
    zipped(folder / "Img" / "img_align_celeba.zip", images)
    check_celeba(find_collection(folder))
    flat = write(tmp_path / "flat", {name.rsplit("/", 1)[-1]: data for name, data in lists.items()})
    check_celeba(find_collection(zipped(flat / "img_align_celeba.zip", images)))


@SLOW_FIXTURES
@given(noise=st.binary(max_size=200))
def test_damaged_celeba_lists_lose_no_pictures(tmp_path, noise):
    files = celeba_files()
    files["Anno/list_attr_celeba.txt"] = files["Anno/list_attr_celeba.txt"][:60] + noise
    files["Eval/list_eval_partition.txt"] = noise
    assert len(find_collection(zipped(tmp_path / "c.zip", files))) == 4


# --- IDX and npz ------------------------------------------------------------------------------------------------------


def idx_folder(path, count=20, test=0, pack=idx_gz, dot="."):
    end = ".gz" if pack is idx_gz else ""
    for stem, n, start in (("train", count, 0), ("t10k", test, 500)):
        if n:
            images = np.stack([pixels(start + i, 28, 28)[..., 0] for i in range(n)])
            write(path, {f"{stem}-images{dot}idx3-ubyte{end}": pack(images)})
            write(path, {f"{stem}-labels{dot}idx1-ubyte{end}": pack((np.arange(n) % 10).astype(np.uint8))})
    return path


@pytest.mark.parametrize(("pack", "dot"), [(idx_gz, "-"), (idx, "-"), (idx, ".")])
def test_idx_with_its_labels(tmp_path, pack, dot):
    folder = idx_folder(tmp_path, pack=pack, dot=dot)
    for path in (folder, next(folder.glob("train-images*"))):
        found = find_collection(path)
        assert found.layout == "idx"
        assert labels(found) == [str(i % 10) for i in range(20)]
        again = pickle.loads(pickle.dumps(found.pictures))
        assert np.array_equal(again.read(3, None), pixels(3, 28, 28)[..., 0])
        assert not found.skipped


def test_idx_with_a_test_set(tmp_path):
    found = find_collection(idx_folder(tmp_path, 20, 5, dot="-"))
    assert found.annotations.splits.tolist() == [TRAIN] * 20 + [TEST] * 5
    assert np.array_equal(found.pictures.read(22, None), pixels(502, 28, 28)[..., 0])


def test_idx_faults_are_one_clear_error(tmp_path):
    images = np.zeros((5, 28, 28), np.uint8)
    for data in (idx_gz(images)[:-12], gzip.compress(idx(images)[:-9]), b"", gzip.compress(b"nonsense" * 9),
                 b"\0\0\x08\x03" + b"\xff" * 12 + b"x" * 50):  # fmt: skip
        path = tmp_path / "train-images-idx3-ubyte.gz"
        path.write_bytes(data)
        with pytest.raises(PicturesError):
            find_collection(path)
    assert idx_reader.labels_file("a/train-images-idx3-ubyte.gz") == "a/train-labels-idx1-ubyte.gz"


def test_idx_with_too_few_labels_says_so(tmp_path):
    folder = idx_folder(tmp_path, dot="-")
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(idx_gz(np.zeros(3, np.uint8)))
    found = find_collection(folder)
    assert found.annotations.schema.names == ()
    assert "3 labels for 20 pictures" in found.remarks[0]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    channels=st.sampled_from([None, 1, 3, 4]), first=st.booleans(),
    kind=st.sampled_from(["u1", "f4 01", "f8 -11", "i8", "u2", "b"]), key=st.sampled_from(["images", "x_train", "foo"]),
)  # fmt: skip
def test_npz_of_every_type(tmp_path, channels, first, kind, key):
    base = np.stack([pixels(i, 12, 10) for i in range(6)])
    wanted = base[..., 0] if channels in (None, 1) else base
    if kind == "b":
        wanted = np.where(wanted > 127, np.uint8(255), np.uint8(0))
    array = np.concatenate([wanted, np.full((*wanted.shape[:3], 1), 255, np.uint8)], -1) if channels == 4 else wanted
    array = array[..., None] if channels == 1 else array
    array = array.transpose(0, 3, 1, 2) if first and array.ndim == 4 else array
    scaled = {
        "u1": array, "f4 01": (array / 255).astype("f4"), "f8 -11": array / 127.5 - 1, "i8": array.astype("i8"),
        "u2": array.astype("u2") * 257, "b": array > 127,
    }[kind]  # fmt: skip
    if kind in ("u2", "i8", "f4 01"):
        scaled.flat[0] = {"u2": 65535, "i8": 255, "f4 01": 1}[kind]  # the range is seen from the values
    np.savez(
        tmp_path / "a.npz", **{key: scaled}, labels=np.array(list("abcabc")), captions=np.array(["x", "", "猫"] * 2)
    )
    found = find_collection(tmp_path / "a.npz")
    assert found.layout == "npz"
    assert len(found) == 6
    got = found.pictures.read(5, None)
    assert np.abs(got[..., : wanted.shape[-1] if wanted.ndim == 4 else None].astype(int) - wanted[5]).max() <= 1
    assert labels(found) == list("abcabc")
    assert list(found.annotations.captions)[:3] == [("x",), (), ("猫",)]


def test_npz_faults_are_one_clear_error(tmp_path):
    path = tmp_path / "a.npz"
    good = np.zeros((4, 9, 9, 3), np.uint8)
    faults = [
        {"a": good, "b": good[..., 0]}, {"images": np.zeros((4, 9, 9, 7))}, {"images": good.astype("f4") + 700},
        {"images": np.full((4, 9, 9), np.nan)}, {"images": np.array([[[None]]], dtype=object)}, {"x": np.zeros(5)},
        {"images": np.zeros((0, 9, 9), np.uint8)}, {},
    ]  # fmt: skip
    for arrays in faults:
        np.savez(path, **arrays)
        with pytest.raises(PicturesError):
            find_collection(path)
    np.savez(path, images=good)
    whole = path.read_bytes()
    for cut in range(1, len(whole), 97):
        path.write_bytes(whole[:cut])
        with pytest.raises(PicturesError):
            find_collection(path)


@SLOW_FIXTURES
@given(data=st.data())
def test_damaged_npz_and_idx_are_read_or_refused(tmp_path, data):
    if data.draw(st.booleans()):
        path = tmp_path / "d.npz"
        np.savez_compressed(path, images=np.stack([pixels(i) for i in range(3)]), labels=np.arange(3))
    else:
        path = (
            write(tmp_path, {"train-images-idx3-ubyte.gz": idx_gz(pixels(1)[None, ..., 0])})
            / "train-images-idx3-ubyte.gz"
        )
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    try:
        found = find_collection(path)
        found.pictures.read(0, None)
    except GanforgeError:
        return


# --- avatars ----------------------------------------------------------------------------------------------------------


def test_avatars_are_drawn_at_the_size_that_is_asked_for():
    found = find_collection("avatars:3:7")
    assert len(found) == 3
    assert found.layout == "avatars"
    assert found.pictures.read(1, (64, 64)).shape == (64, 64, 3)
    assert found.pictures.read(1, (100, 100)).shape == (100, 100, 3)
    assert found.pictures.read(1, (28, 28)).shape == (32, 32, 3)
    assert all(found.annotations.captions)
    assert not np.isnan(found.annotations.table).any()
    assert find_collection("avatars:3:7").fingerprint() == found.fingerprint()
    assert find_collection("avatars:3:8").fingerprint() != found.fingerprint()


@pytest.mark.parametrize("words", ["avatars:", "avatars:x", "avatars:0", "avatars:3:", "avatars:3:4:5", "avatars:-3"])
def test_other_words_for_avatars_are_refused(words):
    with pytest.raises(UsageError, match="COUNT"):
        find_collection(words)


def test_fingerprints_follow_content_not_dates(tmp_path):
    import os

    folder = write(tmp_path / "a", pictures(3))
    before = find_collection(folder).fingerprint()
    os.utime(folder / "000.png", (1, 1))
    assert find_collection(folder).fingerprint() == before
    (folder / "000.png").write_bytes(png(99))
    changed = find_collection(folder).fingerprint()
    assert changed != before
    (folder / "metadata.csv").write_text("file_name,text\n000.png,hello\n", encoding="utf-8")
    assert find_collection(folder).fingerprint() != changed
    assert NO_SPLIT == 255
