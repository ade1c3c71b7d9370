"""Texts -> translated texts: sentence by sentence, what is no language protected, what looks wrong decoded again.

A sentence goes this way, together with those of many other texts:

    masked, decoded -> marks back in their places (the best hypothesis that has them all)
                       else the stretches between the marks decoded one by one
                    -> a broken glossary term: decoded again with the term as a mark
                    -> something looks wrong: decoded again without loops, and the better of the two is taken
                    -> what still looks wrong is said
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hftoolkit.documents.glossary import Glossary
from hftoolkit.documents.masking import Masked, mask, pieces_between, put_between, unmask
from hftoolkit.documents.numbers import lost_numbers
from hftoolkit.documents.pieces import Mark, Text, flat
from hftoolkit.documents.protection import is_linguistic, protect, released
from hftoolkit.documents.sentences import join, split
from hftoolkit.documents.stand_ins import STYLES, Style
from hftoolkit.engines.base import Hypothesis
from hftoolkit.engines.decoding import Decoding
from hftoolkit.models.suspicions import suspicions

_BEAMS: Final = 4
"""Beams at least where marks have to survive, or something went wrong."""

Write = Callable[[Sequence[str], Decoding, int], Iterable[Sequence[Hypothesis]]]
"""Sources, how to choose, and how many hypotheses are wanted of each -> those of each, best first."""


@dataclass(frozen=True)
class Manner:
    """How texts are translated."""

    source: str
    """Language translated from."""

    target: str
    """Language translated to."""

    write: Write
    decoding: Decoding

    style: Callable[[], Style | None]
    """What stands for marks, asked once there is one; None: the model copies nothing."""

    tokens: Callable[[str], int]
    """Length of a source as the model reads it."""

    longest: int
    """Tokens of the longest sentence that is translated as one; a longer one is cut at a comma or a blank."""

    glossary: Glossary | None = None

    alternatives: int = 1
    """Hypotheses shown of each sentence."""


@dataclass(frozen=True)
class Sentence:
    """What became of one sentence."""

    where: str
    """Where its text stands in the document."""

    source: str
    translation: str

    score: float | None
    """Mean log-probability per token, in nats, over all pieces where it was translated in pieces; None where nothing of
    it was left to the model, or a server does not tell."""

    alternatives: tuple[Hypothesis, ...]
    """What the search found, best first, as the model wrote it; as many as were asked for."""

    faults: tuple[str, ...]
    """What looks wrong about it, still."""


@dataclass(frozen=True)
class Outcome:
    """A translated text."""

    text: Text

    sentences: tuple[Sentence, ...]
    """Those that were translated; what is no language passes as it is."""


@dataclass
class _Job:
    """A sentence on its way."""

    where: str
    text: Text
    """As it stands in the document, all that must survive a mark."""

    result: Text = ()
    score: float | None = None
    alternatives: tuple[Hypothesis, ...] = ()
    faults: list[str] = field(default_factory=list)


def translated(texts: Sequence[tuple[str, Text]], manner: Manner) -> Iterator[Outcome]:
    """Translate texts together, in order.

    Args:
        texts: Each with where it stands.
        manner: How.
    """
    cut = [split(protect(text), manner.source, manner.longest, manner.tokens) for _, text in texts]
    jobs = [
        [_Job(where, sentence) for sentence, _ in sentences] for (where, _), sentences in zip(texts, cut, strict=True)
    ]
    spoken = [job for each in jobs for job in each if is_linguistic(job.text)]
    _decode(spoken, manner)
    _obey_glossary(spoken, manner)
    _decode_again([job for job in spoken if job.faults], manner)
    known = set(map(id, spoken))
    for sentences, done in zip(cut, jobs, strict=True):
        results = [
            (job.result if id(job) in known else job.text, between)
            for job, (_, between) in zip(done, sentences, strict=True)
        ]
        yield Outcome(
            released(join(results)),
            tuple(
                Sentence(job.where, flat(job.text), flat(job.result), job.score, job.alternatives, tuple(job.faults))
                for job in done
                if id(job) in known
            ),
        )


def _decode(jobs: Sequence[_Job], manner: Manner) -> None:
    """Translate every sentence once."""
    for job, (result, score, hypotheses) in zip(jobs, _attempts([job.text for job in jobs], manner), strict=True):
        job.result, job.score = result, score
        job.alternatives = tuple(hypotheses[: manner.alternatives])
        job.faults = _faults(job.text, result, manner)


def _obey_glossary(jobs: Sequence[_Job], manner: Manner) -> None:
    """Where a term is not as the glossary wants it, put it there as a mark."""
    glossary = manner.glossary
    if glossary is None:
        return
    broken = [job for job in jobs if glossary.broken(_words(job.text), flat(job.result))]
    attempts = _attempts([glossary.apply(job.text) for job in broken], manner)
    for job, (result, score, _) in zip(broken, attempts, strict=True):
        faults = _faults(job.text, result, manner)
        if len(faults) <= len(job.faults):
            job.result, job.score, job.faults = result, score, faults


def _decode_again(jobs: Sequence[_Job], manner: Manner) -> None:
    """Translate what looks wrong without loops, and take it where less is wrong then."""
    safer = replace(
        manner,
        decoding=replace(
            manner.decoding, beams=max(_BEAMS, manner.decoding.beams), no_repeat_ngram=4, repetition_penalty=1.2
        ),
    )
    texts = [job.text if manner.glossary is None else manner.glossary.apply(job.text) for job in jobs]
    for job, (result, score, _) in zip(jobs, _attempts(texts, safer), strict=True):
        faults = _faults(job.text, result, manner)
        if len(faults) < len(job.faults):
            job.result, job.score, job.faults = result, score, faults


def _attempts(texts: Sequence[Text], manner: Manner) -> list[tuple[Text, float | None, Sequence[Hypothesis]]]:
    """A translation of each sentence with all its marks, its score, and what the search found."""
    style = manner.style() if any(isinstance(part, Mark) for text in texts for part in text) else None
    masked = [mask(text, style or STYLES[0]) for text in texts]
    copying = [bool(each.groups) for each in masked]
    found: dict[str, Sequence[Hypothesis]] = {}
    careful = replace(manner.decoding, beams=max(_BEAMS, manner.decoding.beams))
    if style is not None:
        marked = [each.plain for each, copies in zip(masked, copying, strict=True) if copies]
        found |= _written(marked, replace(manner, decoding=careful), careful.beams)
    plain = [each.plain for each, copies in zip(masked, copying, strict=True) if not copies]
    found |= _written(plain, manner, manner.alternatives)

    attempts: list[tuple[Text, float | None, Sequence[Hypothesis]] | None] = []
    for each in masked:
        hypotheses = found.get(each.plain, ())
        whole = ((unmask(each, one.text), one.score, hypotheses) for one in hypotheses)
        attempts.append(next(((text, score, all) for text, score, all in whole if text is not None), None))
    lost = [each for each, attempt in zip(masked, attempts, strict=True) if attempt is None]
    stretches = _written([piece for each in lost for piece in pieces_between(each)], manner, 1)
    return [attempt or _pieced(each, stretches, manner) for each, attempt in zip(masked, attempts, strict=True)]


def _pieced(
    masked: Masked, stretches: Mapping[str, Sequence[Hypothesis]], manner: Manner
) -> tuple[Text, float | None, Sequence[Hypothesis]]:
    """A sentence put together from its pieces, with their score by their lengths."""
    pieces = [stretches[piece][0] for piece in pieces_between(masked)]
    tokens = [manner.tokens(piece.text) for piece in pieces]
    text = put_between(masked, [piece.text for piece in pieces])
    scores = [piece.score for piece in pieces if piece.score is not None]
    if not pieces or len(scores) < len(pieces):
        return text, None, ()
    total = sum(score * length for score, length in zip(scores, tokens, strict=True))
    return text, total / sum(tokens), ()


def _written(sources: Iterable[str], manner: Manner, number: int) -> dict[str, Sequence[Hypothesis]]:
    """What the engine writes; the same source is asked once."""
    once = list(dict.fromkeys(sources))
    return dict(zip(once, manner.write(once, manner.decoding, number), strict=True)) if once else {}


def _faults(text: Text, result: Text, manner: Manner) -> list[str]:
    """What looks wrong about a translation, and terms that are not as the glossary wants them."""
    source, translation = _words(text), _words(result)
    faults = suspicions(source, translation, manner.target)
    faults += [f"number {number} is lost" for number in lost_numbers(flat(text), flat(result))]
    if manner.glossary is not None:
        faults += [f"{term!r} is not {wanted!r}" for term, wanted in manner.glossary.broken(source, flat(result))]
    return faults


def _words(text: Text) -> str:
    """What is language in a text."""
    return "".join(part if isinstance(part, str) else " " for part in text)
