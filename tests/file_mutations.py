"""Data files changed as spreadsheets, converters, merges and attackers change them."""

import gzip
import json
import re
from collections.abc import Callable

from fuzzed_files import FILES, SOURCES, recipe_for
from hypothesis import strategies as st
from mutations import TOP, Draw, Mutant, changed, damaged
from wild_texts import WILD, texts


@st.composite
def data_files(draw: Draw) -> Mutant:
    """A recipe with a data file in which something is wrong, or only unusual."""
    name = draw(st.sampled_from(sorted(SOURCES)))
    content, inside = FILES[name], name.removesuffix(".gz")
    unpacked = inside != name and draw(st.booleans())
    if unpacked:
        content = gzip.decompress(content)
    packed = inside != name and not unpacked
    hows = [damaged] if packed else [_kept, damaged, *_HOWS.get(inside.rpartition(".")[2], [_lines])]
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        content = draw(st.sampled_from(hows))(draw, content)
    if unpacked:
        content = gzip.compress(content, mtime=0)
    recipe = recipe_for(name)
    if draw(st.booleans()):
        recipe["data"] |= {"validation": {"split": 0.3}, "test": {"split": 0.3}}
    return changed(recipe, file=name, content=content)


def _kept(draw: Draw, content: bytes) -> bytes:
    """The same written in another way, as editors of other systems do."""
    match draw(st.integers(0, 4)):
        case 0:
            return content.replace(b"\n", b"\r\n")
        case 1:
            return b"\xef\xbb\xbf" + content
        case 2:
            return content + b"\n" * draw(st.integers(1, 3))
        case 3:
            return content.removesuffix(b"\n")
        case _:
            lines = content.splitlines(keepends=True)
            return b"".join([*lines[:-2], *lines[:-3:-1]]) if len(lines) > 3 else content


def _lines(draw: Draw, content: bytes) -> bytes:
    """Lines lost, repeated, exchanged and changed, as by copying and merging."""
    lines = content.split(b"\n")
    at, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    match draw(st.integers(0, 9)):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = draw(texts).encode()
        case 4:
            lines[at] = draw(st.sampled_from(_IN_FRONT)) + lines[at]
        case 5:
            lines[at] += draw(st.sampled_from(_BEHIND))
        case 6:  # without blanks to break it at
            lines[at] += b"x" * draw(st.sampled_from([3_000, 20_000]))
        case 7:
            lines[at : at + 2] = [b"".join(lines[at : at + 2])]
        case 8:
            lines = lines[:at] if draw(st.booleans()) else lines[at:]
        case _:
            old, new = draw(st.sampled_from(_MARKS)), draw(st.sampled_from(_MARKS))
            return content.replace(old, new, draw(st.sampled_from([1, 2, -1])))
    return b"\n".join(lines)


_IN_FRONT = [b"", b" ", b"\t", b"#", b",,", b"\t\t", b"null", b"\xef\xbb\xbf"]
_BEHIND = [b"\r", b" ", b"\t", b",", b"\t\t", b'"', b"\0", b"\x85", "\u2028".encode()]
_MARKS = [bytes([mark]) for mark in b"\t,;\"'\n :{}[]<>&\\/-_"]


def _table(draw: Draw, content: bytes) -> bytes:
    """Columns lost, repeated, renamed; fields with marks that mean something to the format."""
    separator = b"\t" if b"\t" in content else b"," if b"," in content else b" "
    rows = [line.split(separator) for line in content.split(b"\n")]
    row = draw(st.sampled_from([0, draw(st.integers(0, len(rows) - 1))]))
    at = draw(st.integers(0, len(rows[row]) - 1))
    match draw(st.integers(0, 5)):
        case 0:
            rows = [fields[:at] + fields[at + 1 :] for fields in rows]
        case 1:
            rows = [fields[: at + 1] + fields[at:] for fields in rows]
        case 2:
            rows = [fields[::-1] for fields in rows]
        case 3:
            rows[row][at:] = []
        case 4:
            rows[row][at] = draw(st.sampled_from(_FIELDS))
        case _:
            rows[row][at] = draw(st.text(st.sampled_from(WILD), max_size=6)).encode()
    return b"\n".join(separator.join(fields) for fields in rows)


_FIELDS = [b"", b" ", b"=1+1", b"nan", b"1e999", b"NULL", b"-", b"B-", b"X-ORG", b"O", b"9" * 5000]


def _json(draw: Draw, content: bytes) -> bytes:
    """Other values, other kinds of values, and more of them than anybody expects."""
    values = [*re.finditer(rb'"(?:[^"\\]|\\.)*"|-?[0-9.]+|\[\]|\{\}', content)] or [*re.finditer(b"", content)]
    found = draw(st.sampled_from(values))
    wild = texts.map(lambda text: json.dumps(text).encode())
    return content[: found.start()] + draw(st.sampled_from(_VALUES) | wild) + content[found.end() :]


_VALUES = [
    *(b"null", b"true", b"[]", b"{}", b"0", b"-1", b"1e400", b"NaN", b"-Infinity", b"1" * 5000, b'""', b'" "', b"[[]]"),
    *(
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\\u0000"',
        b"[null]",
        b'["a", "b"]',
        b'["a", 1]',
        b'{"a": {"b": null}}',
        b'"a", "en": "b"',
    ),
    *(b"[" * 90 + b"]" * 90, b"[" * 400 + b"]" * 400, b"[" * 900 + b"]" * 900, b"[" * 100_000 + b"]" * 100_000),
    *(b'{"a":' * 90 + b"1" + b"}" * 90, b'{"a":' * 900 + b"1" + b"}" * 900, b'{"a":' * 100_000, b"[" * 100_000),
    *(b'{"start": 0, "end": 99999999999999999999, "label": "A"}', b'{"text": "good", "answer_start": 1e300}'),
    *(
        b'{"text": [], "answer_start": []}',
        b'{"text": ["good"], "answer_start": [-5, 3]}',
        b'{"role": "user"}',
        b"b'x'",
    ),
]


def _xml(draw: Draw, content: bytes) -> bytes:
    """Entities that grow or name other files, and elements where none are expected."""
    places = [found.end() for found in re.finditer(rb"<(?:seg|source|target)>", content)]
    place, within = draw(st.sampled_from(places or [0])), draw(st.sampled_from(_XML))
    if draw(st.booleans()):
        return content[:place] + within + content[place:]
    start = content.find(b"?>") + 2 if content.startswith(b"<?") else 0
    root = re.search(rb"<(tmx|xliff)", content)
    head = draw(st.sampled_from(_DOCTYPES)).replace(b"ROOT", root[1] if root else b"tmx")
    named = draw(st.sampled_from([b"&e;", b"&e;", within]))
    return content[:start] + head + content[start : max(start, place)] + named + content[max(start, place) :]


_XML = [
    *(b"&e;", b"&nbsp;", b"&#0;", b"&#55296;", b"&#x110000;", b"<![CDATA[<seg>]]>", b"<!-- -->", b"<?x y?>", b"<ph/>"),
    *(b"<seg>", b"</tu>", b"</body>", b"<tu/>", b"<tuv/>", b"<segment/>", b"<unit/>", b'<x xml:lang=""/>', b"<a:b/>"),
    *(b"<a>" * 300, b"<a>" * 300 + b"</a>" * 300, b"x" * 11_000_000),
    b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="../../outside/secret.txt" parse="text"/>',
]
_LAUGHS = b"".join(b'<!ENTITY e%d "%s">' % (each, b"&e%d;" % (each - 1) * 9) for each in range(1, 12))
_DOCTYPES = [
    b'<!DOCTYPE ROOT [<!ENTITY e0 "lol">' + _LAUGHS + b'<!ENTITY e "&e11;">]>',
    f'<!DOCTYPE ROOT [<!ENTITY e SYSTEM "file://{TOP}/outside/secret.txt">]>'.encode(),
    b'<!DOCTYPE ROOT [<!ENTITY e SYSTEM "../../outside/secret.txt">]>',
    b'<!DOCTYPE ROOT [<!ENTITY % p SYSTEM "../../outside/secret.txt"> %p;]>',
    b'<!DOCTYPE ROOT SYSTEM "http://127.0.0.1:9/evil.dtd">',
    b'<!DOCTYPE ROOT [<!ENTITY e "x"><!ATTLIST tu note CDATA "&e;">]>',
    b'<!DOCTYPE ROOT [<!ENTITY e "&e;">]>',
    b'<!DOCTYPE ROOT PUBLIC "-//LISA OSCAR:1998//DTD for Translation Memory eXchange//EN" "tmx14.dtd">',
    b"<!DOCTYPE other>",
    b'<?xml-stylesheet href="file:///etc/passwd"?>',
]


def _po(draw: Draw, content: bytes) -> bytes:
    """Headers, plural forms and comments that a catalogue may have, and some that it may not."""
    if draw(st.booleans()):
        old, new = draw(st.sampled_from(_PO_CHANGES))
        return content.replace(old, new, draw(st.sampled_from([1, 3, -1])))
    entries = content.split(b"\n\n")
    entries.insert(draw(st.integers(0, len(entries))), draw(st.sampled_from(_PO_ENTRIES)))
    return b"\n\n".join(entries)


_CHARSETS = [b"", b"CHARSET", b"utf-7", b"idna", b"hex", b"UTF-16", b"x" * 99]
_PLURALS = [b"(n/0)", b"(" * 300 + b"n" + b")" * 300, b"__import__(os).system(x)", b"n*9999999999999999999999*n"]
_PO_CHANGES = [
    *((b"charset=UTF-8", b"charset=" + name) for name in _CHARSETS),
    *((b'"Language', b'"Plural-Forms: nplurals=2; plural=' + rule + b';\\n"\n"Language') for rule in _PLURALS),
    (b"Language: zh_CN", b"Language: en"),
    (b"Language: zh_CN", b"Language: \xff"),
    (b'"\n', b'\\"\n'),
    (b"msgstr", b"msgstr[0]"),
    (b"msgstr", b"msgid_plural"),
    (b"msgstr ", b"msgstr\n"),
    (b"msgid", b"msgctxt"),
    (b"msgid", b"#~ msgid"),
    (b"#: ", b"#, fuzzy "),
    (b"\n\n", b"\n"),
]
_PO_ENTRIES = [
    b'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[1] "d"',
    b'msgid "a"\nmsgid_plural "b"',
    b'msgid "a"\nmsgid_plural "b"\nmsgstr "c"',
    b'msgid "a"\nmsgstr[7] "c"',
    b'msgid "a"\nmsgstr[x] "c"',
    b'msgid "a"',
    b'msgstr "a"',
    b'msgid "a" "b"\nmsgstr "c',
    b'msgid "\\x"\nmsgstr "\\777\\"',
    b'#| msgid "old"\nmsgctxt "x"\nmsgid "a"\nmsgstr "c"',
    b'#~ msgid "old"\n#~ msgstr "c"',
    b'domain "x"',
    b"garbage",
    b'msgid ""\nmsgstr "second header\\n"',
    b"#",
    b'"only a string"',
]


def _card(draw: Draw, content: bytes) -> bytes:
    """A data set's card that names other files, or says what none says."""
    old, new = draw(st.sampled_from(_CARD_CHANGES))
    return content.replace(old, new)


_ELSEWHERE = [
    *(b"../../../outside/secret.txt", f"{TOP}/outside/secret.txt".encode(), b"~/.profile", b"file:///etc/passwd"),
    *(b"http://127.0.0.1:9/a.csv", b"zip://a.csv::http://127.0.0.1:9/a.zip", b"hf://datasets/a/b/c.csv", b"..\\a.csv"),
    *(b"*", b"**/*.csv", b"absent.csv", b"[", b"''", b"{}", b"[pairs.csv]", b"1"),
]
_CARD_CHANGES = [
    *((b"pairs.csv", name) for name in _ELSEWHERE),
    *((b"config_name: all", b"config_name: all\n  data_dir: " + name) for name in _ELSEWHERE),
    *((b"config_name: all", b"config_name: " + name) for name in (b"../../outside/all", b"1", b"null", b"[a]")),
    *((b"split: train", b"split: " + name) for name in (b"test", b"../train", b"'train[:50%]'", b"1", b"null")),
    *((b"config_name: all", b"config_name: all\n  " + more) for more in (b"sep: x", b"features: a", b"x: y")),
    (b"config_name: all", b"config_name: !!python/object/apply:os.system ['echo > ../outside/executed']"),
    (b"configs:", b"dataset_info: {features: [{name: en, dtype: int8}]}\nconfigs:"),
    (b"configs:", b"configs: &a [*a]\nx:"),
]

_HOWS: dict[str, list[Callable[[Draw, bytes], bytes]]] = {
    **{ending: [_lines, _json, _json] for ending in ("jsonl", "json")},
    **{ending: [_lines, _xml, _xml] for ending in ("tmx", "xlf", "xliff")},
    **{ending: [_lines, _table, _table] for ending in ("tsv", "csv", "conll", "conllu")},
    "po": [_lines, _po, _po],
    "md": [_lines, _card, _card],
    "parquet": [],
}
