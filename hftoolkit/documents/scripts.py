"""Scripts that are written without blanks between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer."""

import re

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff00-\uffef\U00020000-\U0003ffff"
)
"""Their characters, punctuation too, as part of a character class of a regular expression."""

_ONE = re.compile(f"[{UNSPACED}]")


def is_unspaced(character: str) -> bool:
    """Whether a character is of such a script; the empty string is not."""
    return bool(_ONE.match(character))
