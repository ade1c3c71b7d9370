import pkgutil
from importlib import import_module

import pytest

from hftoolkit.documents import formats
from hftoolkit.documents.formats import FORMATS


def test_the_folder_is_the_registry() -> None:
    assert {each.home for each in FORMATS.values()} == {
        module.name for module in pkgutil.iter_modules(formats.__path__)
    }


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_its_function(name: str) -> None:
    format = FORMATS[name]
    assert callable(getattr(import_module(f"{formats.__name__}.{format.home}"), format.function))


def test_no_suffix_has_two_formats() -> None:
    suffixes = [suffix for each in FORMATS.values() for suffix in each.suffixes]
    assert len(suffixes) == len(set(suffixes))
