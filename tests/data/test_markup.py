import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wild_texts import texts

from hftoolkit.data.markup import is_markup_only

MARKUP = [
    "",
    "42 %",
    "???",
    "<br/>",
    "<a href=\"https://example.org/a?b=c\" title='x'></a>",
    "<!-- a comment\nof two lines -->",
    "&nbsp;&#8211;&#x2014;",
    "https://docs.python.org/3/library/re.html",
    "www.example.org",
    "<someone@example.org>",
    "mailto:someone@example.org",
    "``bool(NotImplemented)``.",
    "``1 <= day <= number of days in the given month``,",
    "`len`",
    "``KEY1 in <subject>``",
    "``\\g<quote>``",
    ":func:`hex`, :func:`oct`, :func:`bin`.",
    ":c:func:`PyObject_Call` | :py:class:`!int`",
    "`<https://example.org>`_",
    ".. image:: picture.png",
    ".. |release| replace:: 3.13",
    ".. code-block:: python",
    "|release|",
    "[1]_ [#note]_",
    "%s",
    "%(count)d / %(total)d",
    "%1$s: %-5.2f%%",
    "%name%",
    "{name}",
    "{0:>10}{1!r}",
    "{{ limit }}",
    "{% if x %}{% endif %}",
    "${HOME}/$USER",
    "%@ · %lld",
]
WORDS = [
    "Yes",
    "or::",
    "e.g.",
    "好",
    "好。",
    "é",
    "A",
    "a ``b``",
    "``b`` a",
    "`` we are all in the gutter ``",
    "` quoted '",
    "``warn`` or ``warning``",
    "Return :func:`len`.",
    ":func:`len` is called.",
    ":ref:`The tutorial <tut>`",
    "`The project's site <https://example.org>`_",
    "`Installing Modules`_",
    "<b>Bold</b>",
    "<not set>",
    "{count, plural, one {a file} other {files}}",
    ".. note:: This matters.",
    "See https://example.org",
    "https://example.org 是主页",
    "http://例.example",
    "请访问https://example.org/。",
    "%d items",
    "%dth",
    "50 % of it",
    "{name} is here",
    "Page {{ page }}",
    "someone at example.org",
    "a < b and c > d",
    "AT&T",
    "Time: 10:30",
    "C:\\Users",
    "x@y",
    "$5 off",
    "2.5 m",
    "import os",
]


@pytest.mark.parametrize("text", MARKUP)
def test_nothing_but_markup(text: str) -> None:
    assert is_markup_only(text)


@pytest.mark.parametrize("text", WORDS)
def test_words(text: str) -> None:
    assert not is_markup_only(text)


@given(st.sampled_from(MARKUP), st.sampled_from(["Here are words", "这里有字", "la fin"]))
def test_words_beside_markup_are_seen(markup: str, words: str) -> None:
    assert not is_markup_only(f"{words} {markup}")
    assert not is_markup_only(f"{markup}\n{words}.")


@given(texts)
def test_any_text_is_judged(text: str) -> None:
    assert not is_markup_only(text) or not text.strip().isalpha()


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", "<a b=", "`", "``", ":a", "{", "{%", "{{", "<!--", "%(", "a.", "a@", "&", "[", "..", "`<", " ", "|"],
)
def test_no_text_takes_long(piece: str) -> None:
    began = time.perf_counter()
    is_markup_only("`" + piece * (8000 // len(piece)))
    assert time.perf_counter() - began < 2  # what grows with the square takes hundredths of a second, the cube minutes


@pytest.mark.parametrize("piece", ["<!--", "``a ", "{%", "<1.:a"])
def test_a_very_long_text_is_taken_for_words_at_once(piece: str) -> None:
    assert not is_markup_only(piece * 20_000)  # looked at, it would take minutes
