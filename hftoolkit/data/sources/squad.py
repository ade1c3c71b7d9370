"""Questions on paragraphs in one JSON document: SQuAD 1.1 and 2.0, and the list in which CMRC 2018 first came.

SQuAD's is ``{"data": [{"paragraphs": [{"context": ..., "qas": [{"question": ..., "id": ..., "answers": [{"text": ...,
"answer_start": ...}]}]}]}]}``, with ``"is_impossible": true`` where the context has no answer. CMRC's is a list of
paragraphs, whose names are ``context_text``, ``query_text`` and ``query_id``, and whose answers are texts alone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hftoolkit.data.sources.columns import missing_column, there, wanted_names
from hftoolkit.data.sources.files import opened
from hftoolkit.data.sources.json_mistakes import check_depth
from hftoolkit.data.sources.lines import read_text
from hftoolkit.data.sources.reading import BadRows, Raw, Reading, told
from hftoolkit.errors import DataError

_ADVICE: Final = (
    'a document is {"data": [{"paragraphs": [{"context": TEXT, "qas": [{"question": TEXT, "answers": [...]}]}]}]}'
)
_NAMES: Final = ("question", "context", "answers", "id", "title")
_CONTEXT, _QUESTION, _ID = ("context", "context_text"), ("question", "query_text"), ("id", "query_id")

_HEAD_BYTES: Final = 1 << 16
_SCALAR: Final = r'"(?:[^"\\]|\\.)*"|[-+.\w]+'
_HEAD: Final = re.compile(
    rf'\s*(?:\{{\s*(?:"\w+"\s*:\s*(?:{_SCALAR})\s*,\s*)*"data"\s*:\s*\[\s*[\]{{]|\[\s*\{{.*?"(?:qas|context_text)"\s*:)',
    re.DOTALL,
)


def is_squad(path: Path) -> bool:
    """Whether a file begins like such a document; JSON lines, which may have the same name, do not."""
    with opened(path) as file:
        return bool(_HEAD.match(file.read(_HEAD_BYTES).decode("utf-8-sig", "replace")))


def read(path: Path, reading: Reading) -> Iterator[Raw]:
    """Questions of a document; their columns are ``question``, ``context``, ``answers``, ``id`` and ``title``."""
    names = there(wanted_names(reading.source, reading.roles), _NAMES)
    for name in names.values():
        if name not in _NAMES:
            raise missing_column(str(path), str(name), names, _NAMES)
    bad = BadRows(_ADVICE)
    answered = False
    for values, place, number in _questions(*_content(path, reading), bad):
        answered = answered or bool(values["answers"])
        if values["answers"] and values["impossible"]:
            reading.count("questions said to have no answer, whose answers are left out", told(place, number))
            values["answers"] = []
        yield {role: values.get(str(name)) for role, name in names.items()}, place, number
    if not answered and "answers" in reading.roles:
        reading.note(path, "has no answer to any question")
    bad.check()


def _content(path: Path, reading: Reading) -> tuple[str, Any]:
    """The list of articles or paragraphs, and where it is."""
    text = read_text(path, reading.source.encoding, reading)
    try:
        content = json.loads(text)
        check_depth(content, text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON: {error}\n  copy the file again, or say:  format: jsonl") from error
    if isinstance(content, list):
        return f"{path}: ", content
    return f"{path}: data", content.get("data") if isinstance(content, Mapping) else content


def _questions(where: str, articles: Any, bad: BadRows) -> Iterator[tuple[dict[str, Any], str, int]]:
    """What is said of every question, and its place."""
    for at_article, article in _objects(where, articles, bad):
        inner = _objects(f"{at_article}.paragraphs", article["paragraphs"], bad) if "paragraphs" in article else None
        for at, paragraph in inner or [(at_article, article)]:
            context = _named(paragraph, _CONTEXT)
            if not isinstance(context, str):
                bad.add(at, f"context: expected a text, got {_shown(context)}")
                continue
            for number, (at_question, question) in enumerate(_objects(f"{at}.qas", paragraph.get("qas"), bad)):
                asked = _named(question, _QUESTION)
                if isinstance(asked, str):
                    yield _values(article, context, asked, question), f"{at}.qas[", number
                else:
                    bad.add(at_question, f"question: expected a text, got {_shown(asked)}")


def _values(article: Mapping[str, Any], context: str, asked: str, question: Mapping[str, Any]) -> dict[str, Any]:
    name = _named(question, _ID)
    impossible = question.get("is_impossible") is True
    return {
        "question": asked,
        "context": context,
        "answers": question.get("answers", [] if impossible else None),
        "impossible": impossible,
        "id": name if name is None else str(name),
        "title": article.get("title"),
    }


def _objects(where: str, values: Any, bad: BadRows) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(values, list):
        bad.add(where, f"expected a list, got {_shown(values)}")
        return
    for number, value in enumerate(values):
        if isinstance(value, Mapping):
            yield f"{where}[{number}]", value
        else:
            bad.add(f"{where}[{number}]", f"expected an object in braces, got {_shown(value)}")


def _named(values: Mapping[str, Any], names: tuple[str, str]) -> Any:
    return values.get(names[0], values.get(names[1]))


def _shown(value: Any) -> str:
    return f"{json.dumps(value, ensure_ascii=False):.40}"
