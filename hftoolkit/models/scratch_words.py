"""What is said of a tokenizer that was to be trained on a recipe's rows, whatever its kind."""

from hftoolkit.errors import DataError


def fewer_pieces(found: int, wanted: int) -> list[str]:
    """What should be said of a tokenizer with so many tokens; nothing where it has all it was to have."""
    if found >= wanted:  # padding may come on top
        return []
    return [f"the tokenizer has {found:,} tokens instead of {wanted:,}: the rows hold no more pieces"]


def too_few(tokens: str, needed: str, enough: int) -> DataError:
    """A vocabulary that does not even hold the characters.

    Args:
        tokens: How many it was to have.
        needed: What the rows have, as ``which have 4212 characters``.
        enough: How many would do.
    """
    return DataError(
        f"model.scratch.vocabulary: {tokens} tokens are too few for these rows, {needed}\n"
        f"  take more:   vocabulary: {enough}"
    )


def untrainable(reason: str) -> DataError:
    """Rows from which no tokenizer can be had."""
    return DataError(f"model.scratch: no tokenizer can be trained on these rows: {reason}\n  add rows")
