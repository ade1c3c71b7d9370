"""What models say around a translation is taken off, and never a part of it."""

import pytest

from hftoolkit.engines.chatter import without_chatter


@pytest.mark.parametrize(
    ("said", "source", "bare"),
    [
        ("你好。", "Hello.", "你好。"),
        ("Here is the translation:\n\n你好。", "Hello.", "你好。"),
        ("Sure, here's the translation in Chinese: 你好。", "Hello.", "你好。"),
        ("Translation: 你好。", "Hello.", "你好。"),
        ("以下是译文：\n你好。", "Hello.", "你好。"),
        ("Reasons.</think>\n\n你好。", "Hello.", "你好。"),
        ("翻译：玛丽亚·洛佩斯", "Interpreter: Maria Lopez", "翻译：玛丽亚·洛佩斯"),
        ("我的翻译说：我们迟到了。", "My colleague said we are late.", "我的翻译说：我们迟到了。"),
        ("口译和翻译服务：周一至周五", "Services from Monday to Friday", "口译和翻译服务：周一至周五"),
        ("Translation: Anna Schmidt", "Übersetzung: Anna Schmidt", "Translation: Anna Schmidt"),
        ("翻譯：王小明", "Translator: Wang", "翻譯：王小明"),
        ("“Good day.”", "„Guten Tag.“", "“Good day.”"),
        ("“你好，”", "‘Good day,’", "“你好，”"),
        ('"Dream of the Red Chamber"', "《红楼梦》", '"Dream of the Red Chamber"'),
        ("“嗨”", "&quot;Hi&quot;", "“嗨”"),
        ("翻译：你好。", "Hello.", "你好。"),
        ('"你好。"', "Hello.", "你好。"),
        ("“你好。”", "Hello.", "你好。"),
        ("“你好”和“再见”", "Hello and goodbye", "“你好”和“再见”"),
        ('"你好。"', '"Hello."', '"你好。"'),
        ("<think>\nHm.\n</think>\n\n你好。", "Hello.", "你好。"),
        ("```\n你好。\n```", "Hello.", "你好。"),
        ("以下是规则：一、二。", "The rules are: one, two.", "以下是规则：一、二。"),
        ("Translation: hard", "The translation: hard", "Translation: hard"),
        ("Here: take it", "Voici : prends-le", "Here: take it"),
        ("翻译：", "x", "翻译："),
        ("", "x", ""),
        ('"', "x", '"'),
    ],
)
def test_words_around_a_translation(said: str, source: str, bare: str) -> None:
    assert without_chatter(said, source) == bare
