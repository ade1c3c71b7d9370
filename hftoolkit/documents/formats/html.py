"""HTML: the texts of block elements, titles and some attributes; tags, code and scripts stay as they are written.

A text goes from one tag of a block element to the next, with the tags of inline elements in it as marks. Nothing is
kept of the page but where it is cut, so that broken HTML comes back as it was.
"""

import re
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from html import unescape

from hftoolkit.documents.html_elements import parts_of_page
from hftoolkit.documents.html_tags import Attribute, Token, attributes
from hftoolkit.documents.lines import line_starts
from hftoolkit.documents.pieces import Mark, Piece, Place, Text, flat
from hftoolkit.documents.settings import Settings
from hftoolkit.documents.spans import Span, flowing, has_words, inner, paired, text_spans

_INLINE = frozenset(
    (
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i"),
        *("img", "input", "ins", "kbd", "mark", "math", "nobr", "q", "rp", "rt", "ruby", "s", "samp", "small", "span"),
        *("strike", "strong", "sub", "sup", "svg", "time", "tt", "u", "var", "wbr"),
    )
)
_TRANSLATED = ("alt", "title", "placeholder", "aria-label")
_TAG = re.compile(r"</?[A-Za-z]")
_META = ("description", "keywords")

_Placed = tuple[int, Place]
"""A place, and where it begins."""


def pieces(source: str, settings: Settings, name: str) -> Iterator[Piece]:
    """Cut a page; its ``lang`` becomes the target's together with the first of its texts."""
    places = sorted(_places(source), key=lambda each: each[0])
    done = 0
    for start, place in _with_language(places, source, settings.target):
        if start > done:
            yield source[done:start]
        yield place
        done = start + len(place.kept)
    if done < len(source):
        yield source[done:]


def _places(source: str) -> Iterator[_Placed]:
    starts = line_starts(source)
    spans: list[Span] = []
    tags: dict[int, list[Attribute]] = {}
    for token in parts_of_page(source):
        known = _translated(source, token)
        if token.kind in ("text", "other") or token.name in _INLINE or "-" in token.name:
            spans += _spans(source, token)
            tags[token.start] = known
            continue
        yield from _of_text(spans, tags, source, starts)
        yield from (_of_attribute(each, source, starts) for each in known)
        spans, tags = [], {}
    yield from _of_text(spans, tags, source, starts)


def _spans(source: str, token: Token) -> Iterator[Span]:
    raw = source[token.start : token.end]
    if token.kind == "text":
        for span in text_spans(token.start, raw):
            yield Span(span.start, span.end, unescape(str(span.part)))
    else:
        loose = token.kind in ("other", "empty") or token.name == "svg"
        yield Span(token.start, token.end, Mark(raw), loose=loose)


def _translated(source: str, token: Token) -> list[Attribute]:
    """What is translated of a tag."""
    if token.kind not in ("open", "empty"):
        return []
    known = list(attributes(source, token))
    about = next((each.value.lower() for each in known if each.name == "name"), "")
    names = (*_TRANSLATED, "content") if token.name == "meta" and about in _META else _TRANSLATED
    # A value with tags in it is one that lacks its closing quote.
    return [each for each in known if each.name in names and each.value.strip() and not _TAG.search(each.value)]


def _of_text(
    spans: Sequence[Span], tags: Mapping[int, Sequence[Attribute]], source: str, starts: Sequence[int]
) -> Iterator[_Placed]:
    """The place of a text, and those of attributes of tags around it."""
    spans = paired(spans)
    first, last = inner(spans)
    if not has_words(spans[first:last]):
        first = last = 0
    for span in (*spans[:first], *spans[last:]):
        yield from (_of_attribute(each, source, starts) for each in tags.get(span.start, ()))
    if first == last:
        return
    start, end = spans[first].start, spans[last - 1].end
    within = {span.start: tags[span.start] for span in spans[first:last] if tags.get(span.start)}
    # Equal tags have equal attributes: one of them stands for all.
    equal = {source[span.start : span.end]: span.start for span in spans[first:last] if span.start in within}
    known = {raw: within[at] for raw, at in equal.items()}
    texts = [flowing(span.part for span in spans[first:last])]
    texts += [_text(each) for listed in known.values() for each in listed]
    fill = partial(_filled, tags={raw: (equal[raw], listed) for raw, listed in known.items()}, source=source)
    yield start, Place(tuple(texts), fill, source[start:end], f"line {bisect(starts, start)}")


def _of_attribute(attribute: Attribute, source: str, starts: Sequence[int]) -> _Placed:
    kept = source[attribute.start : attribute.end]
    where = f"line {bisect(starts, attribute.start)}, attribute '{attribute.name}'"
    return attribute.start, Place((_text(attribute),), partial(_filled_attribute, attribute, kept), kept, where)


def _text(attribute: Attribute) -> Text:
    return flowing((attribute.value.strip(),))


def _filled(texts: Sequence[Text], tags: Mapping[str, tuple[int, Sequence[Attribute]]], source: str) -> str:
    rest = iter(texts[1:])
    written: dict[str, str] = {}
    for raw, (begin, known) in tags.items():
        done, parts = 0, []
        for each in known:
            kept = source[each.start : each.end]
            parts += [raw[done : each.start - begin], _filled_attribute(each, kept, [next(rest)])]
            done = each.end - begin
        written[raw] = "".join(parts) + raw[done:]
    return "".join(_escaped(part) if isinstance(part, str) else written.get(part.text, part.text) for part in texts[0])


def _filled_attribute(attribute: Attribute, kept: str, texts: Sequence[Text]) -> str:
    value = attribute.value
    text = value.strip()
    at = value.index(text)
    quote = kept[0] if kept[0] in "\"'" else '"'
    written = value[:at] + flat(texts[0]) + value[at + len(text) :]
    return quote + _escaped(written).replace(quote, "&quot;" if quote == '"' else "&#39;") + quote


def _has_letters(text: Text) -> bool:
    return any(character.isalpha() for part in text if isinstance(part, str) for character in part)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\u00a0", "&#160;")


def _with_language(places: Sequence[_Placed], source: str, target: str) -> Sequence[_Placed]:
    """The same places, of which the first with words begins where the page names its language, and names the new one.

    So the page says another language only if something in it is translated.
    """
    head = next((token for token in parts_of_page(source) if token.name == "html" and token.kind == "open"), None)
    named = [each for each in attributes(source, head) if each.name in ("lang", "xml:lang")] if head else []
    later = (number for number, (start, _) in enumerate(places) if named and start >= named[-1].end)
    first = next((number for number in later if any(map(_has_letters, places[number][1].texts))), None)
    if first is None:
        return places
    start, place = places[first]
    between = [
        source[one.end : other] for one, other in zip(named, [*(each.start for each in named[1:]), start], strict=True)
    ]

    def fill(texts: Sequence[Text]) -> str:
        return "".join(f'"{target}"{each}' for each in between) + place.fill(texts)

    begin = named[0].start
    kept = source[begin:start] + place.kept
    before = [each for each in places[:first] if each[0] < begin]
    return [*before, (begin, Place(place.texts, fill, kept, place.where)), *places[first + 1 :]]
