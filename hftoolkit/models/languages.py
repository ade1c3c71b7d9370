"""Language tags as people write them -> one form, and the target tokens that Marian vocabularies have for them."""

from collections.abc import Iterable, Iterator
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
_MEMBERS = dict(pair.split("=") for pair in _MEMBER_CODES.split())

# What is written instead: countries and English names.
_MISTAKEN_FOR = """
jp=ja cn=zh kr=ko ua=uk gr=el dk=da cz=cs vn=vi english=en chinese=zh german=de french=fr spanish=es portuguese=pt
italian=it japanese=ja korean=ko russian=ru arabic=ar
"""
_MISTAKES = dict(pair.split("=") for pair in _MISTAKEN_FOR.split())

# Where a label names the script, the usual one.
_SCRIPTS = """
zh=Hans yue=Hant sr=Cyrl bs=Latn kk=Cyrl ky=Cyrl tg=Cyrl mn=Cyrl uz=Latn az=Latn ku=Latn ug=Arab sd=Arab pa=Guru
sa=Deva ms=Latn
"""
_LIKELY_SCRIPT = dict(pair.split("=") for pair in _SCRIPTS.split())
_TRADITIONAL = ("TW", "HK", "MO")


@dataclass(frozen=True)
class Language:
    """A language with what narrows it down."""

    language: str
    """ISO 639-1 where there is one, otherwise three letters; Mandarin is ``zh``."""

    script: str | None = None
    """ISO 15924, such as ``Hans``."""

    region: str | None = None
    """ISO 3166-1 in capitals, such as ``BR``."""

    def __str__(self) -> str:
        return "-".join(part for part in (self.language, self.script, self.region) if part)


def normalise(tag: str) -> Language:
    """Read a language tag: ``en``, ``pt-BR``, ``pt_br``, ``zh-Hans``, ``zh_CN``, ``cmn_Hant``, ``deu``.

    Raises:
        UsageError: If it is no language tag; the message names a near one.
    """
    first, *rest = tag.strip().replace("_", "-").split("-")
    code = _code(first.lower())
    if code is None:
        raise UsageError(_unknown(tag))
    script = region = None
    for part in rest:
        if len(part) == 4 and part.isalpha() and script is None and region is None:
            script = part.title()
        elif len(part) == 2 and part.isalpha() and region is None:
            region = part.upper()
        else:
            raise UsageError(_unknown(tag))
    if code == "zh" and script is None and region is not None:
        script = "Hant" if region in _TRADITIONAL else "Hans"
    return Language(code, script, region)


def target_token(vocabulary: Iterable[str], target: str, source: str | None = None) -> str | None:
    """The token that asks a Marian model for a language, such as ``>>cmn_Hans<<``; it stands in front of the source.

    Args:
        vocabulary: Every entry of the tokenizer's vocabulary; a mapping from entries will do.
        target: Language translated to.
        source: Language translated from. If it is given and the vocabulary has no token for a third language or a
            second variety, then there is nothing to choose and the model was trained without: None.

    Returns:
        The token of the closest variety the vocabulary has, or None.

    Raises:
        UsageError: If a tag is no language tag.
    """
    tokens = {entry for entry in vocabulary if len(entry) > 4 and entry.startswith(">>") and entry.endswith("<<")}
    found = next((token for token in target_tokens(target) if token in tokens), None)
    if found is None or source is None:
        return found
    others = tokens - {found} - set(target_tokens(source))
    return found if others else None


def target_tokens(language: str) -> list[str]:
    """The tokens by which models may know a language, the closest first.

    Source:
        The ISO 639-3 and ISO 15924 labels of the Tatoeba Translation Challenge (Tiedemann 2020, arXiv:2010.06354), and
        the older labels of OPUS, such as ``pt_br``.
    """
    return [f">>{label}<<" for label in dict.fromkeys(_labels(normalise(language)))]


def _labels(language: Language) -> Iterator[str]:
    code, script, region = language.language, language.script, language.region
    codes = [THREE_LETTERS.get(code, code), *(member for member, whole in _MEMBERS.items() if whole == code), code]
    if first := {"zh": "cmn", "no": "nob"}.get(code):
        codes.insert(0, first)
    if region:
        yield from (f"{known}_{place}" for known in reversed(codes) for place in (region, region.lower()))
        if (code, region) == ("pt", "BR"):
            yield "pob"
    script = script or _LIKELY_SCRIPT.get(code)
    if script:
        yield from (f"{known}_{script}" for known in codes)
    if code == "zh":
        yield from ("zh_TW", "zh_tw", "zht") if script == "Hant" else ("zh_CN", "zh_cn", "zhs")
    yield from codes
    if code in ("nb", "nn"):
        yield from ("nor", "no")


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
