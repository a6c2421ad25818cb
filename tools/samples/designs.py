"""The printed labels of the made-up brands. Millimetres; each function returns a finished print."""

import numpy as np

from tools.samples.labels import Print, Sheet

_GOLD = "#b8935a"


def leaf(sheet: Sheet, x: float, y: float, length: float, angle: float, fill: str) -> None:
    """A pointed leaf from (x, y) outward."""
    t = np.linspace(0, 1, 30)
    half = 0.22 * length * np.sin(np.pi * t**0.8)
    along = np.concatenate([t, t[::-1]]) * length
    across = np.concatenate([half, -half[::-1]])
    c, s = np.cos(np.radians(angle)), -np.sin(np.radians(angle))
    sheet.polygon(
        [
            (float(x + a * c + b * s), float(y + a * s - b * c))
            for a, b in zip(along, across, strict=True)
        ],
        fill,
    )


def sun(sheet: Sheet, x: float, y: float, radius: float, fill: str) -> None:
    """A disc with rays."""
    sheet.disc(x, y, radius * 0.55, fill)
    for k in range(14):
        a = 2 * np.pi * k / 14
        tip = (float(x + radius * np.cos(a)), float(y + radius * np.sin(a)))
        sides = [
            (float(x + radius * 0.66 * np.cos(a + e)), float(y + radius * 0.66 * np.sin(a + e)))
            for e in (-0.13, 0.13)
        ]
        sheet.polygon([tip, *sides], fill)


def ridge(sheet: Sheet, base: float, height: float, fill: str, seed: int) -> None:
    """A mountain line across the sheet, from `base` up."""
    random = np.random.default_rng(seed)
    xs = np.linspace(0, sheet.width, 15)
    ys = base - height * random.uniform(0.15, 1, 15)
    points = list(zip(xs.tolist(), ys.tolist(), strict=True))
    sheet.polygon([(0.0, base), *points, (sheet.width, base)], fill)


def waves(sheet: Sheet, y: float, height: float, fill: str, count: float = 3) -> None:
    """A filled wave line down to the sheet's end."""
    xs = np.linspace(0, sheet.width, 80)
    ys = y + height * np.sin(xs / sheet.width * 2 * np.pi * count)
    sheet.polygon(
        [
            *zip(xs.tolist(), ys.tolist(), strict=True),
            (sheet.width, sheet.height),
            (0.0, sheet.height),
        ],
        fill,
    )


def lotion() -> Print:
    """Lumora body lotion, printed straight onto the bottle."""
    s = Sheet(52, 92, None)
    ink, rose = "#4b3a3a", "#b0696b"
    for angle in (30, 70, 110, 150):
        leaf(s, 26, 15.5, 9, angle, "#d59a9a")
    s.text(26, 27, "LUMORA", 8.2, ink, face="serif", tracking=0.14)
    s.text(26, 33.5, "露茉", 5, ink, face="serif", tracking=0.35)
    s.rectangle(17, 37.2, 35, 37.5, rose)
    s.text(26, 46, "樱花身体乳", 6.6, rose, face="bold", tracking=0.06)
    s.text(26, 53, "Cherry Blossom", 4.4, ink, face="sans")
    s.text(26, 58.8, "BODY LOTION", 4.4, ink, face="bold", tracking=0.08)
    s.text(26, 68, "水润保湿 · 清爽不粘", 3.5, ink)
    s.text(26, 73.6, "For dry & sensitive skin", 3.1, ink)
    s.text(26, 87, "净含量 300 mL", 3.6, ink, face="bold")
    return s.finished()


def tube() -> Print:
    """Lumora hand cream."""
    s = Sheet(44, 112, None)
    ink = "#ffffff"
    s.text(22, 22, "露茉", 9.5, ink, face="heavy", tracking=0.2)
    s.text(22, 29.5, "LUMORA", 5, ink, face="serif", tracking=0.3)
    for k, angle in enumerate((-35, -10, 15, 40, 190, 215, 165, 140)):
        leaf(s, 22 + (4 if k < 4 else -4), 45, 11, angle, "#e9d9f2" if k % 2 else "#cdb2de")
    s.disc(22, 45, 3.2, "#f7efd8")
    s.text(22, 64, "薰衣草护手霜", 5.8, ink, face="bold")
    s.text(22, 71, "Lavender Hand Cream", 3.7, ink)
    s.rectangle(14, 75.2, 30, 75.45, ink)
    s.text(22, 81.5, "深层滋润 持久留香", 3.5, ink)
    s.text(22, 87, "Soft hands all day", 3.4, ink)
    s.text(22, 105, "75 g", 4.6, ink, face="bold")
    return s.finished()


def tea() -> Print:
    """Northleaf tea tin: vertical Chinese in a frame."""
    s = Sheet(64, 86, None)
    gold, pale = "#d2b06a", "#f1e7cf"
    s.frame(14, 6, 50, 80, gold, width=0.5)
    s.frame(15.3, 7.3, 48.7, 78.7, gold, width=0.2)
    s.vertical(38.6, 11, "高山乌龙茶", 9.6, pale)
    s.vertical(24.6, 12, "北叶", 7.2, gold)
    s.vertical(24.8, 33, "清香型", 4.4, pale, face="serif")
    leaf(s, 24.8, 60, 8.5, 60, "#7fa45b")
    leaf(s, 24.8, 60, 7.0, 120, "#95b86c")
    s.text(32, 70.5, "NORTHLEAF", 4.2, gold, face="serif", tracking=0.12)
    s.text(32, 75.6, "净含量 100克", 3.1, pale)
    return s.finished()


def box_front() -> Print:
    """Kivo earphones: front of the box (150 x 100 mm)."""
    s = Sheet(150, 100, "#f3f4f6")
    s.gradient("#fbfbfc", "#e3e6eb")
    s.text(9, 17, "KIVO", 12, "#16181d", face="bold", anchor="left", tracking=0.08)
    s.text(48, 16.6, "奇沃", 7.5, "#16181d", anchor="left", tracking=0.1)
    _earphones(s, 103, 50)
    s.text(9, 44, "真无线降噪耳机", 8.6, "#16181d", face="bold", anchor="left")
    s.text(9, 53, "Wireless Earbuds", 6.4, "#3c4250", anchor="left")
    s.text(9, 64, "Active Noise Cancelling", 4.5, "#3c4250", anchor="left")
    s.text(9, 71, "主动降噪 · 32小时续航", 4.5, "#3c4250", anchor="left")
    s.rectangle(9, 81, 50, 91, "#e4572e", radius=2)
    s.text(29.5, 88.2, "KV-A310", 6.4, "#ffffff", face="bold")
    s.text(54, 88, "Bluetooth 5.3", 4.2, "#3c4250", anchor="left")
    return s.finished()


def _earphones(s: Sheet, x: float, y: float) -> None:
    """The picture on the box: a charging case and two buds."""
    for dy, r, tone in ((6, 26, "#d5d9e0"), (5, 25, "#2a2e37"), (3.5, 24, "#343944")):
        s.rectangle(x - r, y + dy - r * 0.55, x + r, y + dy + r * 0.95, tone, radius=12)
    s.rectangle(x - 24, y + 1, x + 24, y + 1.6, "#191c22")
    s.disc(x, y + 13, 1.1, "#5fd38a")
    for side in (-1, 1):
        cx = x + side * 11
        s.rectangle(cx - 2.6, y - 28, cx + 2.6, y - 6, "#e9ebef", radius=2.6)
        s.disc(cx - side * 6.4, y - 25.4, 3.4, "#a9b0bb")
        s.disc(cx - side * 2.2, y - 27, 6.2, "#cfd4dc")
        s.disc(cx - side * 2.6, y - 27.6, 5.5, "#f4f5f8")
        s.rectangle(
            cx + side * 0.6 - 0.5, y - 29.5, cx + side * 0.6 + 0.5, y - 25.5, "#6d7480", radius=0.5
        )


def box_side() -> Print:
    """Kivo box, narrow side (50 x 100 mm): specifications and barcode."""
    s = Sheet(50, 100, "#1d2129")
    pale = "#e8ebf0"
    s.text(5, 13, "KIVO 奇沃", 5.4, pale, face="bold", anchor="left")
    rows = [
        "型号 Model: KV-A310",
        "颜色 Color: 雪白",
        "蓝牙版本: 5.3",
        "充电接口: USB-C",
        "额定输入: 5V 500mA",
        "执行标准: GB 4943.1",
    ]
    s.block(5, 25, rows, 3.7, pale, leading=1.75)
    s.barcode(5, 68, 40, 24, "690123450310")
    return s.finished()


def box_top() -> Print:
    """Kivo box, top (150 x 50 mm)."""
    s = Sheet(150, 50, "#eef0f3")
    s.text(75, 30, "KIVO", 17, "#c6cbd4", face="bold", tracking=0.2)
    return s.finished()


def flour() -> Print:
    """Sunmill bread flour pouch, front."""
    s = Sheet(120, 175, None)
    s.rectangle(0, 66, 120, 142, "#f6ecd6")
    s.rectangle(0, 64.6, 120, 66, "#c8742a")
    s.rectangle(0, 142, 120, 143.4, "#c8742a")
    sun(s, 60, 34, 17, "#d9822b")
    s.text(60, 62, "SUNMILL", 12, "#5c3616", face="bold", tracking=0.12)
    s.text(60, 84, "晴磨", 14, "#5c3616", face="heavy", tracking=0.3)
    s.text(60, 103, "高筋小麦粉", 13.2, "#a34712", face="bold", tracking=0.04)
    s.text(60, 117, "Bread Flour", 9, "#5c3616", face="italic")
    s.text(60, 128.5, "面包专用 · 石磨工艺", 5.6, "#5c3616")
    s.text(60, 136.5, "No additives", 4.8, "#5c3616")
    for x in (12, 108):
        _ear(s, x, 134, 1 if x < 60 else -1)
    s.text(60, 158, "净含量 1kg", 8, "#5c3616", face="bold")
    s.text(60, 167, "配料: 小麦  产地: 河南  保质期: 12个月", 3.2, "#5c3616")
    return s.finished()


def _ear(s: Sheet, x: float, y: float, side: int) -> None:
    """An ear of wheat."""
    s.polygon(
        [(x - 0.4, y), (x + 0.4, y), (x + side * 4 + 0.3, y - 44), (x + side * 4 - 0.3, y - 44)],
        "#b9822f",
    )
    for k in range(8):
        at = (x + side * 4 * (0.4 + k * 0.075), y - 20 - k * 3.6)
        leaf(s, at[0], at[1], 7, 62, "#c98f35")
        leaf(s, at[0], at[1], 7, 118, "#d7a24a")


def water() -> Print:
    """Brightpeak spring water, a film all around the bottle; its front is in the middle."""
    s = Sheet(196, 52, "#1f6fb5")
    s.gradient("#2f8ed3", "#0f4f94")
    ridge(s, 52, 24, "#e9f3fa", 4)
    ridge(s, 52, 13, "#a9cde8", 9)
    s.rectangle(0, 42.5, 196, 52, "#a9cde8")
    s.text(98, 15, "明峰", 11, "#ffffff", face="bold", tracking=0.2)
    s.text(98, 22, "BRIGHTPEAK", 4.6, "#ffffff", face="bold", tracking=0.1)
    s.text(98, 30, "天然矿泉水", 5.2, "#ffffff", face="bold", tracking=0.1)
    s.text(98, 48, "550 mL", 5, "#12426f", face="bold")
    return s.finished()


def carton_front() -> Print:
    """Verdano juice carton, front (70 x 165 mm)."""
    s = Sheet(70, 165, "#fdfaf0")
    s.rectangle(0, 0, 70, 52, "#2f8f46")
    s.polygon([(0, 52), (70, 52), (70, 46), (0, 58)], "#2f8f46")
    s.text(35, 24, "绿园", 17, "#ffffff", face="bold", tracking=0.15)
    s.text(35, 38, "VERDANO", 9, "#ffffff", face="bold", tracking=0.08)
    s.text(35, 73, "100%橙汁", 12, "#e06a00", face="bold")
    s.text(35, 84, "Orange Juice", 7.6, "#2f6b35", face="bold")
    s.text(35, 92, "非浓缩还原", 5, "#2f6b35", tracking=0.15)
    _oranges(s, 35, 120)
    s.text(35, 159.5, "净含量 1L", 6.4, "#2f6b35", face="bold")
    return s.finished()


def _oranges(s: Sheet, x: float, y: float) -> None:
    s.disc(x - 12, y + 2, 19, "#f08a12")
    s.disc(x - 15, y - 2, 13, "#f59b2b")
    s.disc(x + 13, y + 9, 18, "#f6a53a")
    s.disc(x + 13, y + 9, 16.3, "#fff0d0")
    s.disc(x + 13, y + 9, 15, "#f8a52e")
    for k in range(9):
        a = 2 * np.pi * k / 9
        tip = (float(x + 13 + 15 * np.cos(a)), float(y + 9 + 15 * np.sin(a)))
        near = [
            (float(x + 13 + 15 * np.cos(a + 0.045)), float(y + 9 + 15 * np.sin(a + 0.045))),
            (x + 13.0, y + 9.0),
        ]
        s.polygon([tip, *near], "#fff0d0")
    leaf(s, x - 8, y - 16, 17, 35, "#3d9448")
    leaf(s, x - 9, y - 16, 14, 140, "#2f7d3b")


def carton_side() -> Print:
    """Verdano carton, right side: nutrition table and barcode."""
    s = Sheet(70, 165, "#fdfaf0")
    s.rectangle(0, 0, 70, 46, "#2f8f46")
    s.text(35, 28, "绿园", 11, "#ffffff", face="bold", tracking=0.15)
    s.text(35, 62, "营养成分表", 5.6, "#2f6b35", face="bold")
    for k, (name, value) in enumerate(
        [
            ("能量", "192kJ"),
            ("蛋白质", "0.7g"),
            ("脂肪", "0g"),
            ("碳水化合物", "10.4g"),
            ("钠", "3mg"),
        ]
    ):
        y = 71 + k * 7
        s.text(8, y, name, 4, "#333333", anchor="left")
        s.text(62, y, value, 4, "#333333", anchor="right")
        s.rectangle(8, y + 1.6, 62, y + 1.8, "#9db89f")
    s.barcode(13, 124, 44, 28, "690177700112")
    return s.finished()


def soda() -> Print:
    """Verdano sparkling orange, around a can."""
    s = Sheet(130, 104, None)
    for centre in (65,):
        s.disc(centre, 36, 22, "#ffffff")
        s.disc(centre, 36, 20.5, "#f07d00")
        leaf(s, centre, 18, 15, 25, "#2f8f46")
        leaf(s, centre, 18, 13, 155, "#3d9b52")
        s.text(centre, 41, "绿园", 13, "#ffffff", face="bold")
        s.text(centre, 70, "VERDANO", 8.6, "#ffffff", face="bold", tracking=0.04)
        s.text(centre, 80, "橙味汽水", 7, "#ffffff", face="bold", tracking=0.1)
        s.text(centre, 88.5, "Sparkling Orange", 4.6, "#ffffff")
        s.text(centre, 97, "330 mL", 4.6, "#ffffff", face="bold")
    return s.finished()


def dish_soap() -> Print:
    """Tidewell dish soap."""
    s = Sheet(58, 88, "#ffffff")
    waves(s, 66, 2.2, "#9bd7d3", 2)
    waves(s, 71, 2.2, "#2aa198", 2.5)
    s.disc(45, 14, 4, "#cdeceb")
    s.disc(51, 22, 2.3, "#dff3f2")
    s.disc(40, 8, 1.8, "#dff3f2")
    s.text(29, 28, "Tidewell", 11, "#0e6d68", face="bold")
    s.text(29, 38, "汐井", 7.4, "#0e6d68", face="bold", tracking=0.25)
    s.text(29, 51, "柠檬洗洁精", 7.4, "#d08700", face="bold")
    s.text(29, 59, "Lemon Dish Soap", 4.9, "#0e6d68")
    s.text(29, 82.5, "500 mL", 5.2, "#ffffff", face="bold")
    return s.finished()


def battery() -> Print:
    """Hexon D cell; its maker turns it to run along the cell."""
    s = Sheet(44, 33, None)
    s.text(22, 12, "HEXON", 8.6, "#f4f4f4", face="bold", tracking=0.1)
    s.text(22, 20.6, "赫森 碱性电池", 5, "#f4f4f4", face="bold")
    s.text(3, 30, "LR20", 6.6, "#f2b632", face="bold", anchor="left", tracking=0.05)
    s.text(41, 30, "D 1.5V", 5, "#f4f4f4", anchor="right")
    return s.finished()


def blank() -> Print:
    """An empty paper label with a thin border."""
    s = Sheet(62, 40, "#efe6d4")
    s.frame(2, 2, 60, 38, "#b9a78a", width=0.35, radius=2)
    return s.finished()
