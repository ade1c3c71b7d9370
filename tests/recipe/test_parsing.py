"""YAML 1.2 to plain values with lines."""

import math

import pytest

from hftoolkit.recipe.parsing import parse, scalar


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("2e-5", 2e-5),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-3", -3),
        ("+3", 3),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("~", None),
        ("", None),
        ("Null", None),
        ("True", True),
        ("false", False),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("12:30:45", "12:30:45"),
        ("1e", "1e"),
        ("e5", "e5"),
        (".", "."),
        ("-", "-"),
        ("nULL", "nULL"),
        ("٣", "٣"),
    ],
)
def test_words_have_their_value_in_yaml_1_2(word: str, value: object) -> None:
    assert scalar(word) == value
    assert type(scalar(word)) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(scalar(".nan"))


def test_a_number_too_long_for_python_is_text() -> None:
    assert scalar("9" * 5000) == float("inf")
    assert scalar("0x" + "f" * 5000) == "0x" + "f" * 5000


def test_quoted_words_are_text() -> None:
    assert parse("""[ '1', "true", 'null', 1 ]""").value == ["1", "true", "null", 1]


def test_block_text_is_text() -> None:
    assert parse("a: |\n  1\nb: >-\n  2\n").value == {"a": "1\n", "b": "2"}


def test_keys_are_text_as_written() -> None:
    assert parse("{2014: a, no: b, 1.0: c, null: d}").value == {"2014": "a", "no": "b", "1.0": "c", "null": "d"}


def test_every_key_and_entry_has_its_line() -> None:
    text = "# comment\n\na: 1\nb:\n  - c: 2\n    d:\n      3\n  -\n    {e: 4,\n     f: 5}\n"
    assert parse(text).lines == {
        (): 3,
        ("a",): 3,
        ("b",): 4,
        ("b", 0): 5,
        ("b", 0, "c"): 5,
        ("b", 0, "d"): 6,
        ("b", 1): 9,
        ("b", 1, "e"): 9,
        ("b", 1, "f"): 10,
    }


def test_windows_line_ends_count_once() -> None:
    assert parse("a: 1\r\nb: x\r\n").lines == {(): 1, ("a",): 1, ("b",): 2}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: b: c", "line 1: not YAML: a ':' where no key can stand; check the indentation, or quote the text"),
        ("a:\n\t- b", "line 2: not YAML: a tab; indent with blanks"),
        ("a: [1, 2", "line 1: not YAML: a bracket that is not closed; expected ',' or ']'"),
        ("a: {b: 1\nc: 2", "line 1: not YAML: a bracket that is not closed; expected ',' or '}'"),
        ("x: 1\na: 'x", "line 2: not YAML: a quote that is not closed"),
        ("a: 1\nb\n", "line 2: not YAML: a line without ':'; expected 'key: value'"),
        ('a: "C:\\data"', r"line 1: not YAML: \d in double quotes; write \\d, or take single quotes"),
        ("a: @x", "line 1: not YAML: a text that begins with @; put it in quotes"),
        ("- a\nb: 1", "line 2: not YAML: an indentation that fits nothing above it"),
        ("a: 1\nb: \x01", r"line 2: not YAML: the character '\x01' is not text"),
        ('a: "\\UFFFFFFFF"', "line 1: not YAML: an escape in double quotes that is no character"),
        ("a: 1\n---\nb: 2", "line 2: a second document begins ('---'); a recipe is one"),
        ("%YAML 1.1\n---\na: no", "line 2: a recipe is YAML 1.2; leave the %YAML line out"),
        ("a: 1\na: 2", "line 2: a: this key stands on line 1 already"),
        ("a: {b: 1, b: 2}", "line 1: a.b: this key stands on line 1 already"),
        ("? [a]\n: 1", "line 1: expected a name in front of the ':'"),
        ("a:\n  : 1", "line 2: a: expected a name in front of the ':'"),
        ('a: "\\ud800"', "line 1: a: a text with half a character in it (a lone surrogate)"),
        ('a: "\\0"', "line 1: a: a text with the character NUL in it"),
        ("a: !!str 1", "line 1: a: tags (!) are not read in a recipe; leave it out, or put the value in quotes"),
        (
            "a: !!python/object/apply:os.system [ls]",
            "line 1: a: tags (!) are not read in a recipe; leave it out, or put the value in quotes",
        ),
        (
            "a: &x 1",
            "line 1: a: anchors (&) and aliases (*) are not read in a recipe; write the value out, or put it in quotes",
        ),
        (
            "&x a: 1",
            "line 1: a: anchors (&) and aliases (*) are not read in a recipe; write the value out, or put it in quotes",
        ),
    ],
)
def test_what_is_not_a_recipe_is_said_in_plain_words(text: str, problem: str) -> None:
    assert [str(found) for found in parse(text).problems] == [problem]


def test_a_merge_key_is_a_key_like_any_other() -> None:
    assert parse("<<: {a: 1}").value == {"<<": {"a": 1}}


def test_deep_nesting_breaks_off() -> None:
    parsed = parse("a: " + "[" * 5000)
    assert parsed.broken
    assert [str(found) for found in parsed.problems] == ["line 1: a: more than 40 mappings and lists inside each other"]


def test_an_empty_text_is_nothing() -> None:
    parsed = parse("# only a comment\n")
    assert (parsed.value, parsed.problems, parsed.broken) == (None, [], False)


def test_a_key_that_cannot_be_seen_is_told_as_it_is() -> None:
    problems = parse('"a\\nb\\e[2J": &x 1\n" c": &x 2').problems
    assert [str(problem).partition(": anchors")[0] for problem in problems] == [
        r"line 1: 'a\nb\x1b[2J'",
        "line 2: ' c'",
    ]
