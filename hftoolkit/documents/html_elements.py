"""A page of HTML as tags and text, with every element that is not translated in one piece."""

from collections.abc import Iterator, Sequence

from hftoolkit.documents.html_tags import Token, attributes, tokens

_KEPT = frozenset(("script", "style", "pre", "code", "kbd", "samp", "textarea", "svg", "math", "xmp", "iframe"))

# Elements that end others without saying so: which ones, and within what this stops.
_ENDED_BY = {
    "li": (("li",), ("ul", "ol", "menu")),
    "dt": (("dt", "dd"), ("dl",)),
    "dd": (("dt", "dd"), ("dl",)),
    "tr": (("tr",), ("table",)),
    "td": (("td", "th"), ("table", "tr")),
    "th": (("td", "th"), ("table", "tr")),
    "option": (("option",), ("select", "datalist")),
}
for _name in (
    *("address", "article", "aside", "blockquote", "details", "div", "dl", "fieldset", "figure", "footer", "form"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "menu", "nav", "ol", "p", "pre", "section"),
    *("table", "ul"),
):
    _ENDED_BY[_name] = (("p",), ("button", "table"))


def parts_of_page(source: str) -> Iterator[Token]:
    """All of a page, piece by piece; an element that stays as it is, with all that is in it, is ``kept``."""
    opened: list[str] = []
    kept: Token | None = None
    depth = 0
    for token in tokens(source):
        left = _left_open(opened, token)
        if kept and left <= depth:
            own = token.kind == "close" and token.name == kept.name and left == depth
            yield Token(kept.start, token.end if own else token.start, "kept", kept.name)
            kept = None
            if own:
                del opened[left:]
                continue
        del opened[left:]
        if kept is None and token.kind in ("open", "empty") and _stays(source, token):
            if token.kind == "open":
                kept, depth = token, len(opened)
            else:
                yield Token(token.start, token.end, "kept", token.name)
        elif kept is None:
            yield token
        if token.kind == "open":
            opened.append(token.name)
    if kept:
        yield Token(kept.start, len(source), "kept", kept.name)


def _stays(source: str, tag: Token) -> bool:
    if tag.name in _KEPT:
        return True
    values = {each.name: each.value for each in attributes(source, tag)}
    return values.get("translate", "").lower() == "no" or "notranslate" in values.get("class", "").split()


def _left_open(opened: Sequence[str], token: Token) -> int:
    """How many elements are still open where this begins; one that is never closed ends with what it is in."""
    names: tuple[str, ...]
    within: tuple[str, ...]
    if token.kind == "close":
        names, within = (token.name,), ()
    else:
        names, within = _ENDED_BY.get(token.name, ((), ()))
    for depth in range(len(opened) - 1, -1, -1) if names else ():
        if opened[depth] in names:
            return depth
        if opened[depth] in within:
            break
    return len(opened)
