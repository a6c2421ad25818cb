import pytest

from models.ocr.script import letter_script, script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("净含量", "han"),
        ("净含量：200mL", "mixed"),
        ("生产日期 A", "han"),
        ("牛奶々", "han"),
        ("お茶", "japanese"),
        ("緑茶ペットボトル", "japanese"),
        ("ﾎﾟｲ捨て禁止!", "japanese"),
        ("Net weight", "latin"),
        ("ＮＥＴ ５００ｇ", "latin"),
        ("Süßstoff Größe", "latin"),
        ("Żródło błonnika", "latin"),
        ("Bảo quản", "latin"),
        ("Γάλα πλήρες", "greek"),
        ("Молоко", "cyrillic"),
        ("유기농 녹차", "hangul"),
        ("خليب", "arabic"),
        ("חלב", "hebrew"),
        ("นมสด", "thai"),
        ("दूध", "devanagari"),
        ("Կանաչ", "armenian"),
        ("β-Carotene", "latin"),
        ("µ", "greek"),
        ("5 µm", "latin"),
        ("AMBPOΣIAL", "latin"),
        ("光明牛奶 Milk Milk", "mixed"),
        ("6901234567892", "digits"),
        ("¥ 9.90", "digits"),
        ("１２３", "digits"),
        ("----", "none"),
        ("", "none"),
    ],
)
def test_script_of(text: str, script: str) -> None:
    assert script_of(text) == script


@pytest.mark.parametrize("character", [" ", "1", "!", "。", "℃", "·", "×", "÷"])
def test_signs_belong_to_no_script(character: str) -> None:
    assert letter_script(character) == ""
