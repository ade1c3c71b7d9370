"""Tag schemes: how a tag for every word says where entities are.

=========  ============================================================================================================
``IOB1``   ``I-`` on every word of an entity, but ``B-`` on the first one of an entity behind another of its type
``IOB2``   ``B-`` on the first word, ``I-`` on all others (BIO)
``BIOES``  ``B-`` on the first, ``I-`` inside, ``E-`` on the last, ``S-`` on a single word (IOBES)
``BMES``   the same with ``M-`` inside, as Chinese data has it
``none``   the type alone; also tags that say nothing of entities, such as parts of speech
=========  ============================================================================================================

Words of no entity have ``O``. A tag without a type, such as ``B``, has the type ``_``, as seqeval names it.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, Literal, NamedTuple

Scheme = Literal["IOB1", "IOB2", "BIOES", "BMES", "none"]

_OUTSIDE: Final = "O"
_NAMELESS: Final = "_"
_TAG: Final = re.compile(r"([BIMES])(?:-(.+))?", re.DOTALL)
_LETTERS: Final[dict[Scheme, str]] = {"IOB1": "IB", "IOB2": "BI", "BIOES": "BIES", "BMES": "BMES"}

_STARTS: Final = "an entity starts with B-"
_STARTS_IOB1: Final = "an entity starts with I-, and with B- only behind another of its type"
_ENDS: Final = "an entity ends with E-, and has S- where it is one word"


class Entity(NamedTuple):
    """Words that name something."""

    type: str

    start: int
    """Number of its first word, from 0."""

    end: int
    """Number of the word after its last."""


class Fault(NamedTuple):
    """A tag that its scheme does not allow where it stands."""

    position: int
    """Number of its word, from 0."""

    reason: str
    """What was found against what was expected."""


def faults(tags: Sequence[str], scheme: Scheme) -> list[Fault]:
    """Where the tags of a sentence break the rules of a scheme, at most once a word.

    Example:
        >>> faults(["O", "I-LOC"], "IOB2")
        [Fault(position=1, reason="'I-LOC' follows 'O'; an entity starts with B-")]
    """
    if scheme == "none":
        return []
    found = []
    for position, tag in enumerate(tags):
        reason = _unknown(tag, scheme) or _misplaced(tags[position - 1] if position else None, tag, scheme)
        if reason is None and position == len(tags) - 1:
            reason = _unfinished(tag, scheme)
        if reason:
            found.append(Fault(position, reason))
    return found


def lenient_entities(tags: Sequence[str], scheme: Scheme) -> list[Entity]:
    """Entities of a sentence whatever the order of its tags, as seqeval reads them if not told to be strict.

    An entity goes on until ``O``, ``B-``, ``S-``, another type, or the word after ``E-`` or ``S-``; any other tag
    starts one, so that no tagged word is lost. Where `faults` finds nothing, this is what the scheme says.

    Raises:
        ValueError: If something is no tag.
    """
    found: list[Entity] = []
    last, start, type_ = _OUTSIDE, 0, ""
    for position, tag in enumerate(chain(tags, [_OUTSIDE])):
        letter, new_type = _split(tag, scheme)
        if last != _OUTSIDE and (last in "ES" or letter in "BSO" or new_type != type_):
            found.append(Entity(type_, start, position))
            last = _OUTSIDE
        if last == _OUTSIDE:
            start, type_ = position, new_type
        last = letter
    return found


def strict_entities(tags: Sequence[str], scheme: Scheme) -> list[Entity]:
    """Entities of a sentence that are tagged as the scheme tags them; others do not count.

    Raises:
        ValueError: If something is no tag.
    """
    found = lenient_entities(tags, scheme)
    due = _written(found, len(tags), scheme)
    return [entity for entity in found if list(tags[entity.start : entity.end]) == due[entity.start : entity.end]]


def write_tags(entities: Iterable[Entity], words: int, scheme: Scheme) -> list[str]:
    """Tags of a sentence.

    Args:
        entities: In any order.
        words: How many the sentence has.
        scheme: How to tag them.

    Raises:
        ValueError: If an entity lies outside the sentence, if two overlap, or if the scheme cannot tell them apart.
    """
    ordered = sorted(entities, key=lambda entity: (entity.start, entity.end))
    last: Entity | None = None
    for entity in ordered:
        if not 0 <= entity.start < entity.end <= words:
            raise ValueError(f"expected entities within {words} words, got {_told(entity)}")
        if last and entity.start < last.end:
            raise ValueError(f"{_told(entity)} overlaps {_told(last)}")
        if last and scheme == "none" and _adjacent(last, entity):
            raise ValueError(f"types alone cannot tell {_told(entity)} from {_told(last)}")
        last = entity
    return _written(ordered, words, scheme)


def convert(tags: Sequence[str], scheme: Scheme, to: Scheme) -> list[str]:
    """Tags of a sentence in another scheme, read leniently.

    Raises:
        ValueError: If something is no tag, or the other scheme cannot tell two entities apart.

    Example:
        >>> convert(["I-PER", "B-PER", "I-PER", "O"], "IOB1", "BIOES")
        ['S-PER', 'B-PER', 'E-PER', 'O']
    """
    return write_tags(lenient_entities(tags, scheme), len(tags), to)


def entity_types(tags: Iterable[str], scheme: Scheme) -> list[str]:
    """The types among some tags, sorted.

    Raises:
        ValueError: If something is no tag.
    """
    return sorted({_split(tag, scheme)[1] for tag in tags if tag != _OUTSIDE})


def _split(tag: str, scheme: Scheme) -> tuple[str, str]:
    """Letter and type; a type alone can stand inside an entity, like I-."""
    if tag == _OUTSIDE:
        return _OUTSIDE, ""
    if scheme == "none":
        return "I", tag
    found = _TAG.fullmatch(tag)
    if found is None:
        raise ValueError(_no_tag(tag, scheme))
    return found[1], found[2] or _NAMELESS


def _unknown(tag: str, scheme: Scheme) -> str | None:
    known = tag == _OUTSIDE or (_TAG.fullmatch(tag) is not None and tag[0] in _LETTERS[scheme])
    return None if known else _no_tag(tag, scheme)


def _misplaced(last: str | None, tag: str, scheme: Scheme) -> str | None:
    """What is wrong about a tag of the scheme behind another one; None stands before the first."""
    if last is not None and _unknown(last, scheme):
        return None
    where = f"'{tag}' comes first" if last is None else f"'{tag}' follows '{last}'"
    (last_letter, last_type), (letter, type_) = _split(last or _OUTSIDE, scheme), _split(tag, scheme)
    goes_on = letter in "IME" and last_letter in "BIM" and type_ == last_type
    if scheme == "IOB1":
        return f"{where}; {_STARTS_IOB1}" if letter == "B" and type_ != last_type else None
    if scheme != "IOB2" and last_letter in "BIM" and not goes_on:
        return f"{where}; {_ENDS}"
    return f"{where}; {_STARTS}" if letter in "IME" and not goes_on else None


def _unfinished(tag: str, scheme: Scheme) -> str | None:
    """What is wrong about a sentence's last tag."""
    unfinished = scheme in ("BIOES", "BMES") and tag[0] in "BIM"
    return f"'{tag}' comes last; {_ENDS}" if unfinished else None


def _no_tag(tag: str, scheme: Scheme) -> str:
    expected = ", ".join(f"{letter}-TYPE" for letter in _LETTERS[scheme])
    return f"'{tag}' is no tag of {scheme}; expected O, {expected}"


def _written(entities: Sequence[Entity], words: int, scheme: Scheme) -> list[str]:
    tags = [_OUTSIDE] * words
    last: Entity | None = None
    for entity in entities:
        letters = _letters(entity, scheme, behind=last is not None and _adjacent(last, entity))
        tags[entity.start : entity.end] = [_tag(letter, entity.type, scheme) for letter in letters]
        last = entity
    return tags


def _letters(entity: Entity, scheme: Scheme, *, behind: bool) -> str:
    words = entity.end - entity.start
    if scheme == "IOB2" or (scheme == "IOB1" and behind):
        return "B" + "I" * (words - 1)
    if scheme in ("IOB1", "none"):
        return "I" * words
    return "S" if words == 1 else "B" + ("I" if scheme == "BIOES" else "M") * (words - 2) + "E"


def _tag(letter: str, type_: str, scheme: Scheme) -> str:
    if scheme == "none":
        return type_
    return letter if type_ == _NAMELESS else f"{letter}-{type_}"


def _adjacent(last: Entity, entity: Entity) -> bool:
    """Whether two of one type touch."""
    return last.end == entity.start and last.type == entity.type


def _told(entity: Entity) -> str:
    return f"'{entity.type}' in words {entity.start} to {entity.end - 1}"
