r"""Texts that are nothing but markup: there is nothing in them to translate.

A text is markup only where no letter is left after taking away, each replaced by a blank:

- tags and comments of HTML and XML (``<b>``, ``<a href="x">``), entities (``&nbsp;``),
- addresses: URLs and e-mail,
- code between backticks, with or without a role of reStructuredText (``:func:`len```), unless a blank makes quotation
  marks of them; of links and of roles with a title (```title <target>`_``, ``:ref:`title <target>```) only the target,
- names of directives with the word behind them (``.. image:: a.png``), substitutions (``|release|``), labels of
  footnotes (``[#note]_``),
- placeholders: ``%s``, ``%(name)d``, ``{name}``, ``{0:>10}``, ``{{ name }}``, ``{% tag %}``, ``${name}``, ``%name%``.

What could be words is left: ``<not set>``, ``{count, plural, one {a file} other {files}}``, a name in capitals.
"""

import re

_PLAIN_WORD = re.compile(r"[^<&`:{%$|@/\\\[.]*?[^\W\d_]\s")
"""A word that ends before anything that could begin markup: most texts have one, and need no further look."""

_LONGEST = 2000
"""Characters of the longest text that is looked at: marks that are never closed would make it slow."""

_OPENING = re.compile(r"[<&`:{%$|@\[]|\.\. |www\.")
_LETTER = re.compile(r"[^\W\d_]")

_TITLED = re.compile(r"(?::[a-z][\w:+.-]*:)?(?<!`)`([^`<>]*)<[^`<>]*>`(?!`)", re.IGNORECASE)

_MARKUP = re.compile(
    r"""
      <!--.*?-->
    | </?[a-z][\w:.-]*(?:\s+[\w:@.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+))*\s*/?>
    | &(?:\#\d+|\#x[0-9a-f]+|[a-z]\w*);
    | (?<![a-z0-9+.-])(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:)[!-;=?-_a-z{|}~]+
    | (?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+
    | ``(?!\s).+?(?<!\s)`` | (?::[a-z][\w:+.-]*:)?`(?!\s)[^`]+(?<!\s)`(?!_)
    | ^\s*\.\.\s+(?:\|[^|\n]*\|\s+)?[\w:-]+::(?:[ \t]+\S+)?
    | \|[\w.-]+\|
    | \[(?:\#?[\w.-]*|\*)\]_
    | \{%.*?%\} | \{\{[^{}]*\}\} | \$?\{[\w.!:<>^=+\-\#,%|\[\]'"/]*\}
    | %\([\w.-]*\)[-\#0+]*\d*(?:\.\d+)?[a-z] | %(?:\d+\$)?[-\#0+]*\d*(?:\.\d+)?(?:hh?|ll?|[zjtLq])?[a-z@](?![a-z])
    | %[a-z]\w*%
    | \$\w+
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL | re.MULTILINE | re.ASCII,
)


def is_markup_only(text: str) -> bool:
    """Whether a text has no letter outside markup; a text without letters and markup, such as a number, counts too.

    A text of more than 2,000 characters is taken for one with words.
    """
    if len(text) > _LONGEST or _PLAIN_WORD.match(text):
        return False
    if _OPENING.search(text):
        text = _MARKUP.sub(" ", _TITLED.sub(r" \1 ", text))
    return not _LETTER.search(text)
