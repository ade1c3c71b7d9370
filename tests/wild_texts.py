"""Texts with what real files have: separators that end no line, NUL, emoji, combining marks, quotes, tabs."""

from hypothesis import strategies as st

WILD = "\x00\x0b\x0c\x1c\x85\u2028\u2029\r\n\t\"',;\\\ufeff\u200d\u0301\U0001f468\U0001f4bb中é "

texts = st.text(st.one_of(st.sampled_from(WILD), st.characters(exclude_categories=("Cs",))), max_size=20)
"""Any text that UTF-8 can hold."""

lines = texts.map(lambda text: text.replace("\n", "").rstrip("\r"))
"""Texts that are one line of a file; at its end a carriage return would belong to the line end."""

cells = lines.map(lambda text: text.replace("\t", "").rstrip("\r"))
"""Texts that are one field of a TSV."""
