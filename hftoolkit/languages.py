"""Language tags as people and programs write them -> one form."""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from hftoolkit.errors import UsageError

# ISO 639-1 codes, each with its ISO 639-3 code.
_ISO_639 = """
aa aar ab abk ae ave af afr ak aka am amh an arg ar ara as asm av ava ay aym az aze ba bak be bel bg bul bi bis bm bam
bn ben bo bod br bre bs bos ca cat ce che ch cha co cos cr cre cs ces cu chu cv chv cy cym da dan de deu dv div dz dzo
ee ewe el ell en eng eo epo es spa et est eu eus fa fas ff ful fi fin fj fij fo fao fr fra fy fry ga gle gd gla gl glg
gn grn gu guj gv glv ha hau he heb hi hin ho hmo hr hrv ht hat hu hun hy hye hz her ia ina id ind ie ile ig ibo ii iii
ik ipk io ido is isl it ita iu iku ja jpn jv jav ka kat kg kon ki kik kj kua kk kaz kl kal km khm kn kan ko kor kr kau
ks kas ku kur kv kom kw cor ky kir la lat lb ltz lg lug li lim ln lin lo lao lt lit lu lub lv lav mg mlg mh mah mi mri
mk mkd ml mal mn mon mr mar ms msa mt mlt my mya na nau nb nob nd nde ne nep ng ndo nl nld nn nno no nor nr nbl nv nav
ny nya oc oci oj oji om orm or ori os oss pa pan pi pli pl pol ps pus pt por qu que rm roh rn run ro ron ru rus rw kin
sa san sc srd sd snd se sme sg sag sh hbs si sin sk slk sl slv sm smo sn sna so som sq sqi sr srp ss ssw st sot su sun
sv swe sw swa ta tam te tel tg tgk th tha ti tir tk tuk tl tgl tn tsn to ton tr tur ts tso tt tat tw twi ty tah ug uig
uk ukr ur urd uz uzb ve ven vi vie vo vol wa wln wo wol xh xho yi yid yo yor za zha zh zho zu zul
"""
THREE_LETTERS = dict(zip(_ISO_639.split()[::2], _ISO_639.split()[1::2], strict=True))
"""ISO 639-1 -> ISO 639-3."""

# Members of macrolanguages by which models know the whole.
_MEMBER_CODES = """
cmn=zh arb=ar pes=fa npi=ne swh=sw zsm=ms zlm=ms lvs=lv ekk=et als=sq khk=mn plt=mg ory=or uzn=uz azj=az ydd=yi
kmr=ku gug=gn quz=qu
"""
# Old, bibliographic and other codes for the same.
_OLD_CODES = """
fil=tl iw=he in=id ji=yi jw=jv mo=ro jap=ja chi=zh cze=cs dut=nl fre=fr ger=de gre=el ice=is mac=mk may=ms per=fa rum=ro
slo=sk wel=cy alb=sq arm=hy baq=eu bur=my geo=ka tib=bo
"""
_SAME = dict(pair.split("=") for pair in (_MEMBER_CODES + _OLD_CODES).split())
MEMBERS = dict(pair.split("=") for pair in _MEMBER_CODES.split())
"""Codes of languages -> that of the macrolanguage by which they go."""

# What is written instead: countries and English names.
_MISTAKEN_FOR = """
jp=ja cn=zh kr=ko ua=uk gr=el dk=da cz=cs vn=vi english=en chinese=zh german=de french=fr spanish=es portuguese=pt
italian=it japanese=ja korean=ko russian=ru arabic=ar
"""
_MISTAKES = dict(pair.split("=") for pair in _MISTAKEN_FOR.split())

_SCRIPT_WORDS = {"chs": "Hans", "cht": "Hant", "latin": "Latn", "cyrillic": "Cyrl"}
_TRADITIONAL = ("TW", "HK", "MO")


@dataclass(frozen=True)
class Language:
    """A language with what narrows it down."""

    language: str
    """ISO 639-1 where there is one, otherwise three letters; Mandarin is ``zh``."""

    script: str | None = None
    """ISO 15924, such as ``Hans``."""

    region: str | None = None
    """ISO 3166-1 in capitals, such as ``BR``, or a number of UN M.49, such as ``419``."""

    def __str__(self) -> str:
        return "-".join(part for part in (self.language, self.script, self.region) if part)


def normalise(tag: str) -> Language:
    """Read a language tag: ``en``, ``pt-BR``, ``pt_br``, ``zh-Hans``, ``zh_CN``, ``cmn_Hant``, ``deu``, ``es-419``.

    Raises:
        UsageError: If it is no language tag; the message names a near one.
    """
    language, understood = _parsed(tag)
    if not understood:
        raise UsageError(_unknown(tag))
    return language


def read_tag(tag: str) -> Language:
    """Read a tag that a file has: ``ca@valencia``, ``de_DE.UTF-8``; what is not understood in it is passed over."""
    return _parsed(tag)[0]


def _parsed(tag: str) -> tuple[Language, bool]:
    """What a tag says, and whether it says nothing else."""
    name, mark, _ = tag.strip().partition(".")
    first, *rest = re.split("[-_@]", name.lower())
    code = _code(first)
    understood = code is not None and not mark
    script = region = None
    for part in rest:
        if script is None and (part in _SCRIPT_WORDS or re.fullmatch("[a-z]{4}", part)):
            script = _SCRIPT_WORDS.get(part, part.title())
        elif region is None and re.fullmatch("[a-z]{2}|[0-9]{3}", part):
            region = part.upper()
        else:
            understood = False
    if code == "zh" and script is None and region is not None:
        script = "Hant" if region in _TRADITIONAL else "Hans"
    return Language(code or first, script, region), understood


def _code(code: str) -> str | None:
    if code in THREE_LETTERS:
        return code
    if code in _SAME:
        return _SAME[code]
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        return None
    return next((two for two, three in THREE_LETTERS.items() if three == code), code)


def _unknown(tag: str) -> str:
    first = tag.strip().lower().replace("_", "-").split("-")[0]
    near = [_MISTAKES[first]] if first in _MISTAKES else get_close_matches(first, THREE_LETTERS, n=1)
    meant = f"; did you mean {near[0]!r}?" if near and _code(first) is None else ""
    return f"{tag!r} is no language tag{meant}\n  expected BCP 47, such as:  en, pt-BR, zh-Hans"
