"""Text whose encoding nobody wrote down: names in zips without the UTF-8 flag, metadata from another decade's machine.

One guess is made for all lines of a file (or all names of an archive) together, because a single short name rarely
tells. UTF-8 that decodes is UTF-8. Otherwise the encoding wins whose decoding is made of the characters that people
use most; in the legacy East Asian sets these are the first levels of each standard (GB 2312 rows 16-55, JIS X 0208 rows
16-47 and the kana, Big5 level 1, the Hangul block of KS X 1001), so their lead bytes tell without a dictionary.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable, Sequence

# Per encoding: how plausible a decoded non-ASCII character with this encoded form is, from 0 to 1.
_Plausible = Callable[[str, bytes], float]


def _gbk(_: str, code: bytes) -> float:
    if 0xB0 <= code[0] <= 0xD7 and code[1] >= 0xA1:
        return 1.0
    if 0xD8 <= code[0] <= 0xF7 and code[1] >= 0xA1:
        return 0.35
    return 0.5 if code[0] in (0xA1, 0xA3) else 0.1


def _shift_jis(character: str, code: bytes) -> float:
    if len(code) == 1:  # half-width katakana
        return 0.25
    if "぀" <= character <= "ヿ":
        return 1.0
    if 0x88 <= code[0] <= 0x97:
        return 1.0
    if code[0] <= 0x83:
        return 0.6
    return 0.35 if 0x98 <= code[0] <= 0xEA else 0.1


def _big5(_: str, code: bytes) -> float:
    if 0xA4 <= code[0] <= 0xC6:
        return 0.95
    if 0xC9 <= code[0] <= 0xF9:
        return 0.25
    return 0.5 if code[0] == 0xA1 else 0.1


def _euc_kr(character: str, _: bytes) -> float:
    return 0.9 if "가" <= character <= "힣" else 0.1


def _cyrillic(character: str, _: bytes) -> float:
    return 0.85 if "А" <= character <= "ё" else 0.1


_MOSTLY_KOREAN = 10
"""EUC-KR's Hangul reads as GBK's most frequent characters, too, but only as those in the first half of the alphabet:
so many different ones and no other are Korean (by chance: 0.6 to this power)."""


def _context(encoding: str, text: str) -> float:
    """What neighbours tell beyond single characters: a factor for the plausibility."""
    others = {character for character in text if not character.isascii()}
    if encoding == "euc_kr" and len(others) >= _MOSTLY_KOREAN and all("가" <= c <= "힣" for c in others):
        return 1.2
    if encoding == "cp866" and re.search(r"[A-Za-z][А-ё]|[А-ё][A-Za-z]", text):
        return 0.5  # words are Russian or not; single Russian letters inside a word are another language's accents
    return 1.0


def _western(character: str, _: bytes) -> float:
    return 0.7 if unicodedata.category(character) in ("Ll", "Lu") and character < "ſ" else 0.1


_LEGACY: dict[str, _Plausible] = {
    "gbk": _gbk,
    "cp932": _shift_jis,
    "big5": _big5,
    "euc_kr": _euc_kr,
    "cp866": _cyrillic,
    "cp437": _western,
    "cp1252": _western,
}


def guess_encoding(lines: Sequence[bytes]) -> str:
    """The name of the codec that fits all ``lines`` best; every line can be decoded with it."""
    raw = b"\n".join(line for line in lines if not line.isascii())[:200_000]
    if _decodes(raw, "utf-8"):
        # The cut after 200,000 bytes may have split a character, so UTF-8 is asked of the whole.
        return "utf-8"
    scores = {name: _score(raw, name, plausible) for name, plausible in _LEGACY.items()}
    for name in sorted(scores, key=lambda n: -scores[n]):
        if scores[name] >= 0 and all(_decodes(line, name) for line in lines):
            return name
    return "latin-1"


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as error:
        # Only a character that the cut of guess_encoding split may be missing.
        return encoding == "utf-8" and error.reason == "unexpected end of data" and len(raw) == 200_000
    return True


def _score(raw: bytes, encoding: str, plausible: _Plausible) -> float:
    """Mean plausibility of the non-ASCII characters, weighted by bytes; −1 where the bytes do not decode."""
    text = raw.decode(encoding, errors="ignore")
    total = seen = 0.0
    for character in text:
        if character.isascii():
            continue
        if not character.isprintable():
            return -1.0
        code = character.encode(encoding)
        total += plausible(character, code) * len(code)
        seen += len(code)
    lost = len(raw) - len(text.encode(encoding))
    return _context(encoding, text) * total / seen - lost if seen and lost <= 1 else -1.0


def decode_names(names: Sequence[bytes]) -> list[str]:
    """File names of one archive or folder as Unicode (composed form, so that they compare equal across systems)."""
    encoding = guess_encoding(names)
    return [unicodedata.normalize("NFC", name.decode(encoding)) for name in names]


def decode_text(raw: bytes) -> str:
    """The text of a metadata file: a byte order mark decides, else UTF-8, else the best guess."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return raw[len(mark) if encoding == "utf-8" else 0 :].decode(encoding, errors="replace")
    if raw[1:200:2].count(0) > 50 or raw[0:200:2].count(0) > 50:  # UTF-16 without its mark: every other byte is zero
        return raw.decode("utf-16-le" if raw[1:200:2].count(0) > 50 else "utf-16-be", errors="replace")
    return raw.decode(guess_encoding(raw.splitlines()), errors="replace")
