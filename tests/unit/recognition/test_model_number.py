import pytest

from models.recognition.model_number import find_model
from packshot.results import TextLine


def line(text: str, probability: float = 0.97) -> TextLine:
    corners = ((0.0, 0.0), (500.0, 0.0), (500.0, 40.0), (0.0, 40.0))
    return TextLine(
        polygon=corners, text=text, score=probability, probability=probability, script="latin"
    )


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("Model: XK-2045B", "XK-2045B", "label"),
        ("Model No. WW90T", "WW90T", "label"),
        ("MODEL NO: 5500", "5500", "label"),
        ("Model Number: AB 1200", "AB 1200", "label"),
        ("Model SM-G991B", "SM-G991B", "label"),
        ("model：kx20", "kx20", "label"),
        ("型号：XK-2045B", "XK-2045B", "label"),
        ("型号 WH-1000XM4", "WH-1000XM4", "label"),
        ("产品型号:SD-350A", "SD-350A", "label"),
        ("规格型号：FZ4002", "FZ4002", "label"),
        ("型號：RT-AX88U", "RT-AX88U", "label"),
        ("货号：A80213", "A80213", "label"),
        ("款号: 2318-07", "2318-07", "label"),
        ("Art. No. 4711-B", "4711-B", "label"),
        ("Item No: HB-22", "HB-22", "label"),
        ("P/N: 920-009294", "920-009294", "label"),
        ("M/N T5000", "T5000", "label"),
        ("Ｍｏｄｅｌ：ＸＫ－２０", "XK-20", "label"),
        ("XK-2045B", "XK-2045B", "hyphenated"),
        ("Sony WH-1000XM4 Wireless", "WH-1000XM4", "hyphenated"),
        ("LUMORA LX-300", "LX-300", "hyphenated"),
        ("RT-AX88U Router", "RT-AX88U", "hyphenated"),
        ("A1234", "A1234", "plain"),
        ("Hexon HX2200 drill", "HX2200", "plain"),
        ("WW90T534DAW", "WW90T534DAW", "plain"),
        ("MDR7506", "MDR7506", "plain"),
    ],
)
def test_a_model_number_is_found(text: str, value: str, rule: str) -> None:
    found = find_model([line(text)])
    assert found is not None
    assert (found.value, found.rule, found.lines) == (value, rule, (0,))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "500ml",
        "500ML",
        "净含量:200g",
        "净含量：1.5L",
        "12x",
        "6X330ML",
        "230g*10瓶",
        "Model: 500ml",
        "2026-01-02",
        "EXP 2026-01-02",
        "EXP20260102",
        "EXP-260102",
        "BBE 02/01/26",
        "生产日期:20260102A",
        "L20260102A 批号",
        "LOT AB-12345",
        "LOT-A2045",
        "TEL 400-820-1234",
        "电话:AB-4008201234",
        "+86 10 6552 9988",
        "6901234567892",
        "EAN 4006381333931",
        "条码 A6901234567892",
        "100%",
        "25% OFF",
        "GB/T 1234",
        "GB/T 21732-2008",
        "GB25190",
        "执行标准:Q/ABC0001S-2020",
        "SC10644010500123",
        "生产许可证编号 SC10644010500123",
        "ISO9001",
        "EN71-3",
        "¥199",
        "RMB199",
        "$19.99",
        "SPF50+ PA++++",
        "SPF50",
        "IP67",
        "IPX7",
        "PM2.5",
        "USB-C 20W",
        "USB3.0",
        "1080P HD",
        "AC220V 50HZ",
        "CR2032",
        "LR44",
        "VITAMIN B12 D3",
        "E330 E202",
        "Q10",
        "COVID-19",
        "A4 80g",
        "5G 4K",
        "PURE MILK 3.6",
        "COCA-COLA",
        "MODEL CITIZEN",
        "role model",
        "JAN-2026",
        "www.AB-1234.com",
        "S/N: AB-1234567",
        "20000mAh",
        "2.4GHz",
        "No.1234",
        "L20260102A",
        "H2O2",
        "SINCE1985",
        "ASTM F963",
    ],
)
def test_other_numbers_are_no_model(text: str) -> None:
    assert find_model([line(text)]) is None


def test_a_label_beats_a_bare_number() -> None:
    found = find_model([line("ZZ-9000"), line("型号：XK-2045B")])
    assert found is not None
    assert (found.value, found.rule, found.lines) == ("XK-2045B", "label", (1,))


def test_the_same_number_twice_names_both_lines() -> None:
    found = find_model([line("XK-2045B"), line("Model: XK-2045B")])
    assert found is not None
    assert found.lines == (0, 1)


def test_several_bare_numbers_are_doubtful() -> None:
    alone, torn = find_model([line("XK-2045B")]), find_model([line("XK-2045B"), line("ZZ-9000")])
    assert alone is not None
    assert torn is not None
    assert torn.confidence == pytest.approx(alone.confidence / 2, abs=1e-3)


def test_confidence_follows_the_reading() -> None:
    sure, unsure = find_model([line("Model: X20", 0.99)]), find_model([line("Model: X20", 0.5)])
    assert sure is not None
    assert unsure is not None
    assert unsure.confidence < 0.5
    assert sure.confidence > 0.9


def test_no_lines_no_model() -> None:
    assert find_model([]) is None
