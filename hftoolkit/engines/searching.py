"""A decoding, and further settings of transformers -> what CTranslate2 is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import UsageError

STEP = 8
"""CTranslate2 has one limit of the output for a batch. So that an answer does not hang on its neighbours, only rows
whose lengths round up to the same multiple go together, and their limit is that of this multiple; what a row writes
beyond its own limit is cut."""

PATIENCE = 1.25
"""How many outputs, in beams, have to be ended before a search is. With CTranslate2's own 1, poor outputs that end soon
break off a better one: the tiny translator of our tests loses a sentence that is all but certain. Tried by hand:
on 500 FLORES rows of a real model 1 missed what 4 found in 14 rows, 1.25 in 6, 1.5 in 3 and 2 in 1; with the built-in
one, which is less sure, 1.5 took a tenth to a sixth longer than 1.25. What 1.25 costs beside 1 stands in
benchmarks/results/translate-demo.json."""


@dataclass(frozen=True)
class Search:
    """How outputs are looked for."""

    options: Mapping[str, Any]
    """Options of CTranslate2."""

    decoding: Decoding
    longest: int | None = None
    """Output tokens at most that were asked for, the start and the end token included."""

    def limit(self, source_tokens: int, positions: int) -> int:
        """Output tokens at most for one source, the start and the end token included."""
        limit = self.decoding.limit(source_tokens, positions)
        return limit if self.longest is None else min(limit, self.longest)

    def reach(self, source_tokens: int, positions: int) -> int:
        """The same for the batch of this source."""
        return self.limit(-(-source_tokens // STEP) * STEP, positions)


def search_of(decoding: Decoding, settings: Mapping[str, Any]) -> Search:
    """What CTranslate2 is asked for by a decoding and further settings of transformers.

    Raises:
        UsageError: If CTranslate2 cannot do exactly what a setting asks for.
    """
    options: dict[str, Any] = {
        "beam_size": decoding.beams,
        "length_penalty": decoding.length_penalty,
        "no_repeat_ngram_size": decoding.no_repeat_ngram,
        "repetition_penalty": decoding.repetition_penalty,
        "min_decoding_length": 0,
        "patience": PATIENCE,
    }
    longest: int | None = None
    for name, value in settings.items():
        match name, value:
            case "num_beams", _:
                options["beam_size"] = value
            case "length_penalty", _:
                options["length_penalty"] = value
            case "no_repeat_ngram_size", _:
                options["no_repeat_ngram_size"] = value
            case "min_length", _:  # transformers counts the start token
                options["min_decoding_length"] = max(options["min_decoding_length"], value - 1)
            case "min_new_tokens", _:
                options["min_decoding_length"] = max(options["min_decoding_length"], value)
            case "max_length", _:
                longest = value if longest is None else longest
            case "max_new_tokens", _:  # where both are given this one holds, as in transformers
                longest = value + 1
            case "do_sample", False:
                pass
            case _:
                raise UsageError(
                    f"{name}: the ctranslate2 engine cannot do this exactly as transformers does\n"
                    '  use the other engine:   engine="torch"'
                )
    return Search(options, decoding, longest)
