r"""What in a text is no language and must survive as it is: addresses, placeholders, code, tags, paths, emoji.

`protect` makes marks of them. They are of what people read, where entities are resolved and escapes undone, and so are
written as all text is: before a format gets its texts back, `released` makes text of them again.

Numbers are left in the text, since a sentence needs them: `hftoolkit.documents.numbers` says which ones are lost.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hftoolkit.documents.marks import joined
from hftoolkit.documents.pieces import Mark, Part, Text

_PICTURE = "\xa9\xae\u2122\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
"""Emoji, arrows, ticks, and the signs of copyright and trade marks: models know few of them, and drop the others."""

_JOINED = "\u200d\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f"
"""What makes one emoji of several characters."""

_SIGN = re.compile(rf"[<&`{{%$@#/\\|{_PICTURE}]|www\.|\.\w|\]_|\bv\d|\u20e3", re.ASCII)
"""Without one of these there is nothing to be found: most texts need no further look."""

_SUFFIXES = (
    "avi|bash|bat|bin|bmp|cc|cfg|cmd|conf|cpp|cs|css|csv|db|dll|docx?|exe|gif|go|gz|hpp|html?|ico|ini|ipynb|jar|java|"
    "jpe?g|js|jsonl?|jsx|kt|lock|log|lua|m4a|md|mkv|mo|mov|mp3|mp4|ods|odt|ogg|pdf|php|pkl|png|pot?|pptx?|pyc?|rar|rb|rs|"
    "rst|scss|sh|so|sql|srt|svg|swift|tar|tex|tiff?|tmx|toml|tsv|tsx?|ttf|txt|vtt|wav|webp|whl|woff2?|xlf|xliff|xlsx?|"
    "xml|ya?ml|zip|zst"
)
_SEGMENT = r"\.?[\w+@-]+(?:\.[\w+@-]+)*"
_CONVERSION = r"(?:hh?|ll?|[zjtLq])?[diouxXeEfFgGaAcspn@](?![A-Za-z]{3})"

_FOUND = re.compile(
    rf"""
    # https://example.org/a_(b), and not the full stop behind it
      (?<![A-Za-z0-9+.-]) (?: [A-Za-z][A-Za-z0-9+.-]{{1,20}}:// | www\.(?=\w) | mailto: )
      (?: [.,:;?!'*\[\]]*+ (?: [\w~/\#@$&+=%-] | \([^()\s]{{0,200}}\) ) )++
    | (?<![\w.+-]) [\w.+-]+@[\w-]+(?:\.[\w-]+)+

    # code, and roles of reStructuredText; of those with a title, `title <target>`_, only what is around it
    | ``(?![\s`]) (?:[^`\n]|`(?!`)){{1,500}} ``
    | (?P<open> (?<![\w`]) (?: :[A-Za-z][\w:+.-]*: )? ` ) (?P<title> [^`<>\n\s] [^`<>\n]{{0,300}}? )
      (?P<close> \s* <[^`<>\n]+> `_{{0,2}} )
    | (?<![\w`]) (?: :[A-Za-z][\w:+.-]*: )? `(?![\s`]) [^`\n]{{1,300}} (?<!\s) `_{{0,2}}(?![\w`])
    | (?<![\w|]) \|[A-Za-z][\w.-]*\| (?![\w|])
    | \[(?:\#?[\w.-]*|\*)\]_(?!\w)

    # tags, comments, entities
    | <!--.{{0,2000}}?-->
    | </?[A-Za-z][\w:.-]*+ (?: \s++[\w:@.-]++ \s*+=\s*+ (?: "[^"<>]*+" | '[^'<>]*+' | [^\s"'<>=]++ ) )*+ \s*+ /?>
    | &(?: \#\d{{1,7}} | \#x[0-9A-Fa-f]{{1,6}} | [A-Za-z]\w{{1,30}} );

    # placeholders: {{{{ name }}}}  {{% tag %}}  {{n, plural, one {{...}}}}  {{0:>10}}  ${{name}}  %{{name}}
    | \{{\{{\{{? [^{{}}\n]{{0,200}} \}}?\}}\}}
    | \{{%.{{0,300}}?%\}}
    | \{{\s*+[\w.]++\s*+,\s*+(?:plural|select|selectordinal|number|date|time|choice|duration|ordinal|spellout)\b
      (?: [^{{}}]++ | \{{ (?: [^{{}}]++ | \{{[^{{}}]*+\}} )*+ \}} )*+ \}}
    | [$%\#]? \{{ (?: [\w.!:<>^=+\-\#,%|\[\]'"/@$*?]{{0,100}} | \s?[\w.]{{1,100}}\s? ) \}}

    # %(name)s  %<name>s  %NAME%  %1$s  %-5.2f  %1  %%  $NAME
    | %\([^()\s]{{1,60}}\)[-\#0+]*\d*(?:\.\d+)?[A-Za-z]
    | %<\w{{1,60}}>[-\#0+]*\d*(?:\.\d+)?[A-Za-z]
    | (?<!\w) %[A-Za-z]\w+%(?!\w)
    | %%
    | (?<![\d%]) %(?:\d{{1,2}}\$)?[-\#0+]*(?:\*|\d{{1,3}})?(?:\.(?:\*|\d{{1,3}}))?{_CONVERSION}
    | (?<![\d%]) %L?\d{{1,2}}(?![\d%])
    | (?<![\w$]) \$[A-Za-z_]\w*

    # emoji, arrows, ticks, keys
    | (?: [{_PICTURE}] [{_JOINED}]* | [\d\#*]\ufe0f?\u20e3 )+

    # @name, @scope/package, #tag
    | (?<![\w@./&]) @[A-Za-z_]\w*(?:-\w+)*(?:/\w+(?:[.-]\w+)*)?
    | (?<![\w&\#/]) \#[A-Za-z_]\w+

    # paths, names of files and hosts
    | (?<![\w/.~)\]}}-]) (?: (?:~|\.{{1,2}}) (?:/{_SEGMENT})+ | (?:/{_SEGMENT}){{2,}} ) /?
    | (?<![\w./@+-]) (?:{_SEGMENT}/)+ [\w+@-]+(?:\.[\w+@-]+)*\.[A-Za-z]\w{{0,4}} (?![\w/])
    | (?<![\w.-]) [\w-]+(?:\.[\w-]+)*\.(?:{_SUFFIXES})(?!\w)
    | (?<![\w.-]) (?:[\w-]+\.)+(?:com|org|net|edu|gov|io|dev|info)(?![\w-]) (?:/[\w/%=&?.-]*[\w/])?
    | (?<![\w\\]) [A-Za-z]:\\(?:[\w\\.$~()&+=@!\#%-]*[\w\\$~)=@%-])?
    | (?<![\w\\]) \\\\[\w.$-]+(?:\\[\w.$-]+)+

    # 3.11.2, v2, 192.168.0.1, and neither 1.234.567 nor 24.12.2025
    | (?<![\w.]) (?!\d{{1,3}}(?:\.\d{{3}})+(?![\d.])) (?!\d{{1,2}}\.\d{{1,2}}\.(?:19|20)\d\d(?!\d))
      (?: v\d+(?:\.\d+)* | \d+(?:\.\d+){{2,}} ) (?:[-+.]?(?:alpha|beta|dev|post|pre|rc|a|b)\.?\d*)* (?!\w)
    """,
    re.VERBOSE | re.ASCII,
)

_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Found(Mark):
    """A mark of what people read; a subclass, for all that takes marks takes it, and only `released` must tell."""


def protect(text: Text) -> Text:
    """A text in which all that must survive is a mark; what is a mark already stays one."""
    return tuple(part for each in text for part in (_parts(each) if isinstance(each, str) else (each,)))


def released(text: Text) -> Text:
    """A text in which what was found in it is text again; other marks stay marks."""
    return joined(part.text if isinstance(part, Found) else part for part in text)


def is_linguistic(text: Text | str) -> bool:
    """Whether there is anything to translate: a letter of any script, outside of what `protect` finds.

    What is blank, a number, punctuation, emoji, an address or a placeholder is not: a model would invent something.
    """
    parts = (text,) if isinstance(text, str) else text
    return any(_has_letter(each) for part in parts if isinstance(part, str) for each in _parts(part))


def _parts(text: str) -> Iterator[Part]:
    if not _SIGN.search(text):
        if text:
            yield text
        return
    end = 0
    for found in _FOUND.finditer(text):
        if found.start() > end:
            yield text[end : found.start()]
        if found["title"]:
            yield from (Found(found["open"]), found["title"], Found(found["close"]))
        else:
            yield Found(found[0])
        end = found.end()
    if end < len(text):
        yield text[end:]


def _has_letter(part: Part) -> bool:
    # What is neither a digit nor punctuation may still be a number, as ½ and Ⅳ are.
    return isinstance(part, str) and any(found[0].isalpha() for found in _LETTER.finditer(part))
