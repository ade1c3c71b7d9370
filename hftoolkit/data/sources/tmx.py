"""TMX, translation memories: units of one text in several languages, in no direction."""

from collections.abc import Iterator
from pathlib import Path

from hftoolkit.data.sources.reading import Raw, Reading
from hftoolkit.data.sources.translations import Translations
from hftoolkit.data.sources.xml_units import LANGUAGE, read_units, text_of


def read(path: Path, reading: Reading) -> Iterator[Raw]:
    """Rows of a TMX file; of several texts in one language the first is taken, units that lack one are left out."""
    translations = Translations(path, reading)
    place = f"{path}: unit"
    for number, unit in enumerate(read_units(path, "tmx", ["tu"], reading.source.encoding), 1):
        variants = unit.findall("{*}tuv")
        tags = tuple([variant.get(LANGUAGE) or variant.get("lang") or "" for variant in variants])  # TMX 1.1: lang
        places = translations.places(tags, number)
        if places is None:
            reading.census.drop("not in all languages")
            continue
        names = [tag.lower() for tag in tags]
        if any(names.count(names[at]) > 1 for some in places.values() for at in some):
            reading.count("units with several texts in one language, of which the first is used")
        yield translations.row(places, [text_of(variant.find("{*}seg")) for variant in variants]), place, number
    translations.finish()
