"""Two languages -> the name of an opus-mt checkpoint at the hub."""

from hftoolkit.errors import UsageError
from hftoolkit.languages import normalise

ORGANISATION = "Helsinki-NLP"

# What https://huggingface.co/Helsinki-NLP has as opus-mt-SOURCE-TARGET, among languages with a two-letter code.
_PAIRS = """
af: de en eo es fi fr nl ru sv
am: sv
ar: de el en eo es fr he it pl ru tr
az: en es tr
be: es
bg: de en eo es fi fr it ru sv tr uk
bi: en es fr sv
bn: en
ca: de en es fr it nl pt uk
cs: de en eo fi fr sv uk
cy: en
da: de en eo es fi fr no ru
de: af ar bg bi ca cs da de ee el en eo es et eu fi fj fr ha he ho hr ht hu ig is it kg ln lt ms mt nl no ny pl tl uk vi
ee: de en es fi fr sv
el: ar eo fi fr sv
en: af ar az bg bi ca cs cy da de ee el eo es et eu fi fj fr ga gl gv ha he hi ho ht hu hy id ig is it kg kj lg ln lu mg
en: mh mk ml mr mt ng nl ny om rn ro ru rw sg sk sm sn sq ss st sv sw ti tl tn to ts tw ty uk ur vi xh zh
eo: af bg cs da de el en es fi fr he hu it nl pl pt ro ru sh sv
es: af ar bg bi ca cs da de ee el en eo es et eu fi fj fr gl ha he ho hr ht id ig is it kg ln lt mk mt nl no ny pl rn
es: ro ru rw sg sl sm sn st tl tn to tw ty uk ve vi xh yo
et: de en es fi fr ru sv
eu: de en es ru
fi: af bg cs de ee el en eo es et fi fj fr ha he ho hr ht hu id ig is it kg lg ln lu lv mg mh mk mt nl no ny ro ru rw
fi: sg sk sl sm sn sq st sv sw tn to tr ts tw ty uk ve xh yo
fj: en fr
fr: af ar bg bi ca de ee el en eo es fj ha he ho hr ht hu id ig kg lg ln lu mh ms mt no ny pl ro ru rw sg sk sl sm sn
fr: st sv tl tn to ts tw ty uk ve vi xh yo
ga: en
gl: en es pt
gv: en
ha: en es fi fr sv
he: ar de eo es fi fr it ru sv uk
hi: en ur
ho: en
hr: es fi fr sv
ht: en es fi fr sv
hu: de en eo fi fr sv uk
hy: en ru
id: en es fi fr sv
ig: de en es fi fr sv
is: de en eo es fi fr it sv
it: ar bg ca de en eo es fr is lt ms sv uk vi
ja: ar bg da de en es fi fr he hu it ms nl pl pt ru sh sv tr vi
ka: en ru
kg: en es fr sv
kj: en
kl: en
ko: de en es fi fr hu ru sv
lg: en es fi fr sv
ln: de en es fr
lt: de eo es fr it pl ru sv tr
lu: en es fi fr sv
lv: en es fi fr ru sv
mg: en es
mh: en es fi
mk: en es fi fr
ml: en
mr: en
ms: de fr it ms
mt: en es fi fr sv
ng: en
nl: af ca en eo es fi fr no sv uk
no: da de es fi fr nl no pl ru sv uk
ny: de en es
om: en
pa: en
pl: ar de en eo es fr lt no sv uk
pt: ca eo gl tl uk
rn: de en es fr ru
ro: eo fi fr sv
ru: af ar bg da en eo es et eu fi fr he hy lt lv no sl sv uk vi
rw: en es fr sv
sg: en es fi fr sv
sh: eo uk
sk: en es fi fr sv
sl: es fi fr ru sv uk
sm: en es fr
sn: en es fr sv
sq: en es sv
ss: en
st: en es fi fr sv
sv: af bg bi cs ee el en eo es et fi fj fr ha he ho hr ht hu id ig is kg lg ln lu lv mh mt nl no ny ro ru rw sg sk sl
sv: sm sn sq st sv th tn to ts tw ty uk ve xh yo
th: en fr
ti: en
tl: de en es pt
tn: en es fr sv
to: en es fr sv
tr: ar az en eo es fr lt sv uk
ts: en es fi fr sv
tw: es fi fr sv
ty: es fi fr sv
uk: bg ca cs de en es fi fr he hu it nl no pl pt ru sh sl sv tr
ur: en
ve: en es
vi: de en eo es fr it ru
wa: en
xh: en es fr sv
yo: en es fi fr sv
zh: bg de en fi he it ms nl sv uk vi
"""

# Names that do not follow from the two codes: other spellings, the big models where there is no plain one, and models
# of several languages where there is none of one; those take a target token. tc-big-en-ko is left out: the vocabulary
# it has at the hub is the Korean one alone, and it cannot read English.
_IRREGULAR = """
en-jap: en-ja
de-ZH: de-zh
fi-ZH: fi-zh
sv-ZH: sv-zh
tc-big-el-en: el-en
tc-big-en-lt: en-lt
tc-big-en-lv: en-lv
tc-big-en-pt: en-pt
tc-big-en-tr: en-tr
tc-big-lt-en: lt-en
tc-big-en-gmq: en-no en-nb en-nn
tc-big-he-en: he-en
tc-big-gmq-en: no-en nb-en nn-en
tc-big-zls-en: bs-en hr-en sh-en sl-en sr-en
ROMANCE-en: oc-en pt-en ro-en
bnt-en: zu-en
cel-en: br-en gd-en
dra-en: kn-en ta-en te-en
en-bnt: en-zu
en-cel: en-br en-gd
en-dra: en-kn en-ta en-te
en-gmw: en-fy en-lb
en-iir: en-fa en-ku en-ps en-tg
en-inc: en-as en-bn en-gu en-ne en-or en-pa en-sd en-si
en-mkh: en-km
en-sem: en-am
en-trk: en-ba en-cv en-kk en-ky en-tk en-tt en-ug en-uz
en-zle: en-be
en-zls: en-bs en-hr en-sh en-sl en-sr
en-zlw: en-pl
gmw-en: fy-en lb-en
iir-en: fa-en ku-en ps-en tg-en
inc-en: as-en gu-en ne-en or-en sd-en si-en
mkh-en: km-en
sem-en: am-en
trk-en: ba-en cv-en kk-en ky-en tk-en tt-en ug-en uz-en
zle-en: be-en
"""


def checkpoint_for(source: str = "en", target: str = "zh") -> str:
    """The hub id of the opus-mt checkpoint for two languages.

    ``zh-Hans`` and ``zh-Hant``, ``pt-BR`` and ``pt`` share a checkpoint; `languages.target_token` tells them apart. For
    languages without a two-letter code the name follows the rule, and whether there is such a model the hub knows.

    Raises:
        UsageError: If a tag is no language tag, or there is no such checkpoint; the message names near ones.

    Example:
        >>> checkpoint_for("en", "zh-Hant")
        'Helsinki-NLP/opus-mt-en-zh'
    """
    pair = normalise(source).language, normalise(target).language
    if name := _NAMES.get(pair):
        return name
    if len(pair[0]) == 3 or len(pair[1]) == 3:
        return f"{ORGANISATION}/opus-mt-{pair[0]}-{pair[1]}"
    raise UsageError(_no_checkpoint(*pair))


def _names() -> dict[tuple[str, str], str]:
    names = {}
    for line in _PAIRS.split("\n")[1:-1]:
        source, targets = line.split(":")
        for target in targets.split():
            names[source, target] = f"{ORGANISATION}/opus-mt-{source}-{target}"
    for line in _IRREGULAR.split("\n")[1:-1]:
        name, pairs = line.split(":")
        for pair in pairs.split():
            source, target = pair.split("-")
            names[source, target] = f"{ORGANISATION}/opus-mt-{name}"
    return names


_NAMES = _names()


def _no_checkpoint(source: str, target: str) -> str:
    lines = [f"there is no opus-mt checkpoint from {source!r} to {target!r}"]
    for pivot in ("en", "fr", "es", "de"):
        if (first := _NAMES.get((source, pivot))) and (second := _NAMES.get((pivot, target))):
            lines.append(f"in two steps:  {first}, then {second}")
            break
    targets = sorted(there for here, there in _NAMES if here == source)
    sources = sorted(here for here, there in _NAMES if there == target)
    lines.append(f"from {source!r} to:  {', '.join(targets) or 'nothing'}")
    lines.append(f"to {target!r} from:  {', '.join(sources) or 'nothing'}")
    return "\n  ".join(lines)
