"""Numbers that a translation has lost, however the two languages write them.

``1,234.5`` is ``1.234,5`` and ``1 234,5``; ``３`` is 3; ``120,000`` is ``12万``, ``3 million`` is ``300万``.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from hftoolkit.documents.scripts import is_unspaced

_DIGITS = {each: value for value, each in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12}
_CHINESE = "".join([*_DIGITS, *_UNITS, *_MYRIADS])

_RUN = re.compile(
    rf"""
    (?P<number> \d{{1,3}} (?: [\u00a0\u2009\u202f\ ]\d{{3}} )+ (?!\d) (?: [.,]\d+ )? | \d+ (?: [.,'’٫٬]\d+ )* )
      (?: \s?(?P<chinese> [{_CHINESE}] (?: [{_CHINESE}] | (?<=[{_CHINESE}]) \d+ )* )
        | (?P<decade> s\b )
        | [\s-]?
          (?: (?P<thousand> (?: thousand | tausend | mille | mila? | тыс | k ) \b )
            | (?P<million> milli?[oó]n | milh | милли | (?: млн | mio | mln ) \b )
            | (?P<billion> milliard | миллиард | (?: млрд | mrd | bn ) \b )
            | (?P<ambiguous> bill[ioó] | trill[ioó] )
          )
      )?
    | (?P<words> [{_CHINESE}]+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TOKEN = re.compile(r"\d+|.")
_TIME = re.compile(r"([01]?\d|2[0-4])\.([0-5]\d)")
_SCALES = {"thousand": (10**3,), "million": (10**6,), "billion": (10**9,), "ambiguous": (10**9, 10**12, 10**18)}


def lost_numbers(source: str, translation: str) -> list[str]:
    """The numbers of a text that its translation has nowhere, each once, as the text writes them.

    Only what is written in digits is looked for; digits within a word, as in ``MP3`` and ``COVID-19``, are of the word.
    Units may be translated; signs are not compared.
    """
    if not any(character.isdecimal() for character in source):
        return []
    there = {amount for shown, amounts in _amounts(translation) for amount in (*amounts, *_hours(shown))}
    lost = [
        shown
        for shown, amounts in _amounts(source, required=True)
        if there.isdisjoint(amounts) and not there >= (_hours(shown) or amounts)
    ]
    return list(dict.fromkeys(lost))


def _amounts(text: str, required: bool = False) -> Iterator[tuple[str, set[Decimal]]]:
    """Every number of a text, and all that it may mean.

    Args:
        text: The text.
        required: Without those that a translation need not have.
    """
    plain = re.sub(r"\d", lambda digit: str(int(digit[0])), text).replace("百分之", "   ")
    for run in _RUN.finditer(plain):
        if run["words"]:
            if not required:
                digits = (Decimal(_DIGITS[each]) for each in run["words"] if each in _DIGITS)
                yield run[0], {_read(None, run["words"]), *digits}
        elif not required or not _within_word(plain[max(0, run.start() - 2) : run.start()]):
            shown = text[slice(*run.span("number"))]
            *others, last = _values(run["number"])
            yield from ((shown, each) for each in others)
            yield shown, _scaled(last, run)


def _hours(number: str) -> set[Decimal]:
    """Hours and minutes of a number that may be a time, as ``10.30``; nothing where it is none."""
    time = _TIME.fullmatch(number)
    return {Decimal(time[1]), Decimal(time[2])} if time else set()


def _scaled(values: set[Decimal], run: re.Match[str]) -> set[Decimal]:
    """What a number means with the word behind it."""
    if chinese := run["chinese"]:
        scaled = {_read(value, chinese) for value in values}
        return scaled if any(each in _MYRIADS for each in chinese) else scaled | values  # 3千米 are 3 km, too
    if run["decade"]:
        return values | {value % 100 for value in values}
    scales = [scale for name, of_name in _SCALES.items() if run[name] for scale in of_name]
    return values | {value * scale for value in values for scale in scales}


def _values(written: str) -> list[set[Decimal]]:
    """What digits with separators may mean: one number, or several as in a date."""
    plain = re.sub(r"['’٬\s]", "", written).replace("٫", ".")
    parts = re.split(r"[.,]", plain)
    separators = [each for each in plain if each in ".,"]
    whole = Decimal("".join(parts))
    if not separators:
        return [{whole}]
    decimal = Decimal(f"{''.join(parts[:-1])}.{parts[-1]}")
    grouped = len(parts[0]) <= 3 and len(parts[-1]) == 3 and {len(each) for each in parts[1:-1]} <= {2, 3}
    if len(separators) == 1:
        return [{decimal, whole} if grouped else {decimal}]
    if len(set(separators)) == 1:
        return [{whole}] if grouped else [{Decimal(part)} for part in parts]
    return [{decimal}] if separators.count(separators[-1]) == 1 else [{Decimal(part)} for part in parts]


def _read(start: Decimal | None, chinese: str) -> Decimal:
    """A number in Chinese, such as ``一百零五``, ``二〇二〇``, or, from 12, ``万5000``."""
    total = section = Decimal(0)
    current = start
    biggest = 0
    positional = False
    for token in _TOKEN.findall(chinese):
        if token in _DIGITS:
            current = (current if positional and current else Decimal(0)) * 10 + _DIGITS[token]
        elif token in _UNITS:
            section += (Decimal(1) if current is None else current) * _UNITS[token]
            current = None
        elif token in _MYRIADS:
            inner = section + (current or 0)
            bigger = _MYRIADS[token] > biggest
            total = (total + inner) * _MYRIADS[token] if bigger else total + inner * _MYRIADS[token]
            biggest, section, current = max(biggest, _MYRIADS[token]), Decimal(0), None
        else:
            current = Decimal(token)
        positional = token in _DIGITS
    return total + section + (current or 0)


def _within_word(before: str) -> bool:
    """Whether what stands before a digit makes it a part of a word."""
    if before[-1:] in ("-", "‑"):
        before = before[:-1]
    elif before[-1:] == "_":
        return True
    return before[-1:].isalpha() and not is_unspaced(before[-1:])
