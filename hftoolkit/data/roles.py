"""Roles whose values are more than a text: what they hold, in every task and whatever file they come from.

================  =====================================================================================================
``label``         what a text is, a text; files may have numbers in its place
``labels``        the same where a text may be several things, a list of texts, or one text that holds all of them
``number``        a number that says how much, as a text
``words``         the words of a sentence, a list of texts
``tags``          a text for every word
``spans``         parts of ``text``, a list of ``"START END LABEL"``: see `hftoolkit.data.spans`
``answers``       answers to ``question`` as ``context`` has them, a list of texts; none where it has no answer
``starts``        where each answer begins in ``context``, in characters from 0; -1 for an answer that is not in it
``messages``      a conversation, a list of ``"ROLE CONTENT"``: see `hftoolkit.data.messages`
================  =====================================================================================================

An answer that is not in its context counts when predictions are measured, and teaches nothing.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hftoolkit.data.tables import Kind

KINDS: Final[Mapping[str, "Kind"]] = {
    "label": "text",
    "labels": "texts",
    "number": "text",
    "words": "texts",
    "tags": "texts",
    "spans": "texts",
    "answers": "texts",
    "starts": "integers",
    "messages": "texts",
}
"""What the roles above hold; all others hold a text, or a list of alternative ones."""

MAY_BE_EMPTY: Final = frozenset({"labels", "spans", "answers", "starts"})
"""Roles of which an empty list says something: a text that is none of the things, or in which nothing is named, a
question without an answer. Null says nothing of them either."""

PARTS: Final[Mapping[str, tuple[str, ...]]] = {"messages": ("prompt", "answer", "system")}
"""Roles from which another is made where a file does not have it."""

OPTIONAL: Final = frozenset({"starts", "messages", *PARTS["messages"]})
"""Roles that a file need not have: they are made from the others, or others from them."""
