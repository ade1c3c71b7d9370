import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_texts import texts as wild

from hftoolkit.documents.numbers import lost_numbers


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("1,234.5", "1.234,5"),
        ("1,234.5", "1 234,5"),
        ("1'234", "1234"),
        ("1,00,000", "100000"),
        ("1,234", "1,234"),
        ("0.5", "0,5"),
        ("3.0", "3"),
        ("12", "１２"),
        ("12", "十二"),
        ("2020", "二〇二〇年"),
        ("105 and 2", "一百零五和两个"),
        ("120,000", "12万"),
        ("125,000", "12万5千"),
        ("125,300", "12万5300"),
        ("120000000", "1亿2000万"),
        ("3 million", "300万"),
        ("3 million", "三百万"),
        ("1.5 billion", "15亿"),
        ("2 trillion", "2万亿"),
        ("3 million", "3 Millionen"),
        ("10k", "1万"),
        ("5 thousand", "5千"),
        ("3亿", "300 million"),
        ("12万", "120,000"),
        ("1990s", "90年代"),
        ("50%", "百分之五十"),
        ("10 km, 3.5 GB, -40 °C", "10公里、3.5 GB、零下40度"),
        ("3 km", "3千米"),
        ("12.05.2020", "2020年5月12日"),
        ("at 10:30", "um 10.30 Uhr"),
        ("1st", "第一"),
        ("MP3, COVID-19 and file_2", "words"),
        ("one", "words"),
        ("twice 3 and 3", "3"),
        ("", "5"),
    ],
)
def test_numbers_that_are_there(source: str, translation: str) -> None:
    assert lost_numbers(source, translation) == []


@pytest.mark.parametrize(
    ("source", "translation", "lost"),
    [
        ("10 km and 20 km", "10公里", ["20"]),
        ("3 million", "3亿", ["3"]),
        ("3亿", "3 million", ["3"]),
        ("1,234.5", "1,235", ["1,234.5"]),
        ("12 12 13", "words", ["12", "13"]),
        ("共3个", "all", ["3"]),
        ("１２", "words", ["１２"]),
        ("12.05.2020", "2020", ["12.05.2020"]),
        ("1.5", "15", ["1.5"]),
    ],
)
def test_numbers_that_are_lost(source: str, translation: str, lost: list[str]) -> None:
    assert lost_numbers(source, translation) == lost


@settings(deadline=None)
@given(wild | st.text(st.sampled_from("0123456789.,' 十百万亿一五\u202fk3mio-a"), max_size=30))
def test_a_text_has_its_own_numbers(text: str) -> None:
    assert lost_numbers(text, text) == []
