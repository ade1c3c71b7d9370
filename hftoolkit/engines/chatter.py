"""What language models say around a translation, taken off where that cannot be a part of it."""

import re
from typing import Final

_LABEL: Final = re.compile(
    r"\A\s*(?:(?:(?:sure|certainly|of course)[,.!]?\s+)?(?:here(?:'s| is) )?(?:the |your )?(?:\w+ )?translation"
    r"(?: (?:in|into|to|of) [^\n:]{1,40})?|(?:以下是|这是)?(?:译文|翻译|翻译结果)(?:如下)?)\s*[:：]\s*",
    re.IGNORECASE,
)
"""What models say before a translation."""

_ABOUT: Final = re.compile("[:：]|translat|interpret|übersetz|dolmetsch|tradu|перев|译|譯|訳|번역", re.IGNORECASE)
"""In a source: its translation may well begin with such words."""

_THOUGHT: Final = re.compile(r"\A\s*(?:<think>)?.*?</think>\s*", re.DOTALL)
_THINKING: Final = re.compile(r"\A\s*<think>.*", re.DOTALL)
_FENCE: Final = re.compile(r"\A```\w*\n(.*)\n```\s*\Z", re.DOTALL)
_QUOTES: Final = {'"': '"', "“": "”", "「": "」", "«": "»", "'": "'"}


def without_chatter(text: str, source: str) -> str:
    """A translation without what a model says around it: its thoughts, a label in front, quotation marks, a fence.

    Args:
        text: What the model said.
        source: What it was to translate; what stands around that, too, stays.
    """
    text = only_said(text, source).strip()
    if not source.lstrip().startswith("```") and (fenced := _FENCE.match(text)):
        text = fenced[1].strip()
    if not _ABOUT.search(source) and (label := _LABEL.match(text)) and text[label.end() :].strip():
        text = text[label.end() :].strip()
    begin, end = text[:1], text[-1:]
    quoted = len(text) > 1 and _QUOTES.get(begin) == end and not text.count(begin) - (2 if begin == end else 1)
    if quoted and source.strip()[:1].isalnum():  # else the source may be quoted itself, in whatever way
        text = text[1:-1].strip()
    return text


def only_said(text: str, source: str) -> str:
    """An answer without the thoughts before it, also where they never come to an end; those of a source stay."""
    return text if "<think>" in source or "</think>" in source else _THINKING.sub("", _THOUGHT.sub("", text))
