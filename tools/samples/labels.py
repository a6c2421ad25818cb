"""Printed matter: a sheet to set type on, which remembers every line it set."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tools.samples.solids import Array
from tools.samples.textures import to_linear

_NOTO = Path("/usr/share/fonts/opentype/noto")
_DEJAVU = Path("/usr/share/fonts/truetype/dejavu")

#: Face name to file and index in the collection (2 is the Simplified Chinese one).
FACES: dict[str, tuple[Path, int]] = {
    "sans": (_NOTO / "NotoSansCJK-Regular.ttc", 2),
    "bold": (_NOTO / "NotoSansCJK-Bold.ttc", 2),
    "serif": (_NOTO / "NotoSerifCJK-Regular.ttc", 2),
    "heavy": (_NOTO / "NotoSerifCJK-Bold.ttc", 2),
    "condensed": (_DEJAVU / "DejaVuSansCondensed-Bold.ttf", 0),
    "mono": (_DEJAVU / "DejaVuSansMono.ttf", 0),
    "roman": (_DEJAVU / "DejaVuSerif.ttf", 0),
    "italic": (_DEJAVU / "DejaVuSerif-Italic.ttf", 0),
}

Anchor = Literal["left", "middle", "right"]
Fill = str


def missing_fonts() -> list[Path]:
    """The font files that the generator needs and this machine lacks."""
    return sorted({path for path, _ in FACES.values() if not path.exists()})


@dataclass(frozen=True, slots=True)
class Set:
    """A line as it was set: the corners of its ink, clockwise from its own top left, 0..1."""

    text: str
    corners: tuple[tuple[float, float], ...]
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class Print:
    """A finished print: linear RGB plus cover, float32 (H, W, 4), and its lines."""

    picture: Array
    lines: tuple[Set, ...]

    def resized(self, width: float) -> "Print":
        """Reduced to about `width` pixels across; never enlarged."""
        h, w = self.picture.shape[:2]
        scale = width / w
        if scale >= 1:
            return self
        size = (max(1, round(w * scale)), max(1, round(h * scale)))
        picture = cv2.resize(self.picture, size, interpolation=cv2.INTER_AREA)
        return replace(self, picture=np.asarray(picture, np.float32))

    def sideways(self) -> "Print":
        """Turned by a quarter anticlockwise, to run up a body that will lie on its side."""
        lines = tuple(
            replace(line, corners=tuple((y, 1 - x) for x, y in line.corners)) for line in self.lines
        )
        return Print(np.ascontiguousarray(np.rot90(self.picture)), lines)


class Sheet:
    """A label being designed. Positions and sizes are in millimetres, y down."""

    def __init__(
        self, width: float, height: float, paper: str | None, *, density: float = 13.0
    ) -> None:
        """`paper` None prints straight onto the body; `density` is pixels per mm."""
        self.width, self.height, self._density = width, height, density
        size = (round(width * density), round(height * density))
        self._image = Image.new("RGBA", size, paper or "#00000000")
        self._draw = ImageDraw.Draw(self._image)
        self._lines: list[Set] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        fill: Fill,
        *,
        face: str = "sans",
        anchor: Anchor = "middle",
        tracking: float = 0.0,
        note: bool = True,
    ) -> float:
        """Set one line with its baseline at y (mm); `size` is the em, `tracking` in em.

        Returns the width in mm. With `note` False the line is decoration and not remembered.
        """
        font = self._font(face, size)
        space = tracking * size * self._density
        width = (
            sum(font.getlength(letter) + space for letter in text) - space
            if tracking
            else font.getlength(text)
        )
        left = x * self._density - {"left": 0.0, "middle": width / 2, "right": width}[anchor]
        at, box = left, None
        for piece in text if tracking else [text]:
            self._draw.text((at, y * self._density), piece, font=font, fill=fill, anchor="ls")
            ink = self._draw.textbbox((at, y * self._density), piece, font=font, anchor="ls")
            box = ink if box is None else _join(box, ink)
            at += font.getlength(piece) + space
        if note and box is not None:
            self._note(text, box, vertical=False)
        return width / self._density

    def vertical(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        fill: Fill,
        *,
        face: str = "heavy",
        pitch: float = 1.12,
    ) -> None:
        """Set one column of characters, centred on x, its first cell's top at y (mm)."""
        font = self._font(face, size)
        box = None
        for k, letter in enumerate(text):
            at = (x * self._density, (y + (k + 0.5) * size * pitch) * self._density)
            self._draw.text(at, letter, font=font, fill=fill, anchor="mm")
            ink = self._draw.textbbox(at, letter, font=font, anchor="mm")
            box = ink if box is None else _join(box, ink)
        if box is not None:
            self._note(text, box, vertical=True)

    def block(
        self,
        x: float,
        y: float,
        lines: list[str],
        size: float,
        fill: Fill,
        *,
        face: str = "sans",
        leading: float = 1.45,
        anchor: Anchor = "left",
    ) -> None:
        """Set several lines under each other."""
        for k, line in enumerate(lines):
            self.text(x, y + k * size * leading, line, size, fill, face=face, anchor=anchor)

    def rectangle(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        fill: Fill,
        *,
        radius: float = 0.0,
    ) -> None:
        """A filled rectangle (mm)."""
        box = [v * self._density for v in (left, top, right, bottom)]
        self._draw.rounded_rectangle(box, radius * self._density, fill=fill)

    def frame(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        line: Fill,
        *,
        width: float = 0.4,
        radius: float = 0.0,
    ) -> None:
        """An outlined rectangle (mm)."""
        box = [v * self._density for v in (left, top, right, bottom)]
        self._draw.rounded_rectangle(
            box, radius * self._density, outline=line, width=max(1, round(width * self._density))
        )

    def polygon(self, points: list[tuple[float, float]], fill: Fill) -> None:
        """A filled polygon (mm), its edge smoothed by drawing it enlarged."""
        xs, ys = zip(*points, strict=True)
        left, top = max(min(xs) - 0.5, 0), max(min(ys) - 0.5, 0)
        factor = self._density * 3
        size = (int((max(xs) - left + 1) * factor), int((max(ys) - top + 1) * factor))
        mask = Image.new("L", size, 0)
        ImageDraw.Draw(mask).polygon(
            [((x - left) * factor, (y - top) * factor) for x, y in points], fill=255
        )
        mask = mask.resize((size[0] // 3, size[1] // 3), Image.Resampling.BOX)
        self._image.paste(fill, (round(left * self._density), round(top * self._density)), mask)

    def disc(self, x: float, y: float, radius: float, fill: Fill) -> None:
        """A filled circle (mm)."""
        turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        self.polygon([(x + radius * np.cos(a), y + radius * np.sin(a)) for a in turn], fill)

    def gradient(
        self, top: Fill, bottom: Fill, *, start: float = 0.0, end: float | None = None
    ) -> None:
        """Fill the sheet between heights (mm) with a vertical gradient."""
        first, last = (
            round(start * self._density),
            round((self.height if end is None else end) * self._density),
        )
        ramp = np.linspace(0, 1, max(1, last - first))[:, None]
        low, high = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (top, bottom))
        rows = np.round(low * (1 - ramp) + high * ramp).astype(np.uint8)
        strip = np.repeat(rows[:, None], self._image.width, axis=1)
        self._image.paste(Image.fromarray(strip).convert("RGBA"), (0, first))

    def barcode(self, x: float, y: float, width: float, height: float, digits: str) -> None:
        """An EAN-13 symbol on white; the check digit is added. Human-readable digits below."""
        odd = [int(d) for d in digits[:12]]
        check = (10 - (sum(odd[0::2]) + 3 * sum(odd[1::2])) % 10) % 10
        bars = _ean(digits[:12] + str(check))
        self.rectangle(x, y, x + width, y + height, "#ffffff")
        module = (width - 4) / len(bars)
        for k, bar in enumerate(bars):
            if bar == "1":
                left = x + 2 + k * module
                self.rectangle(left, y + 1, left + module, y + height - 3.2, "#151515")
        self.text(
            x + width / 2, y + height - 0.7, digits[:12] + str(check), 2.5, "#151515", face="mono"
        )

    def finished(self) -> Print:
        """The print."""
        pixels = np.asarray(self._image, np.float32) / 255
        picture = np.dstack([to_linear(pixels[..., :3]), pixels[..., 3]])
        return Print(np.ascontiguousarray(picture, np.float32), tuple(self._lines))

    def _font(self, face: str, size: float) -> ImageFont.FreeTypeFont:
        path, index = FACES[face]
        return ImageFont.truetype(str(path), size * self._density, index=index)

    def _note(self, text: str, box: tuple[float, float, float, float], *, vertical: bool) -> None:
        w, h = self._image.size
        left, top, right, bottom = box[0] / w, box[1] / h, box[2] / w, box[3] / h
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        self._lines.append(Set(text, corners, vertical))


def _join(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _ean(digits: str) -> str:
    """The 95 modules of an EAN-13 symbol (GS1 General Specifications, 5.2.1)."""
    left = [
        "0001101",
        "0011001",
        "0010011",
        "0111101",
        "0100011",
        "0110001",
        "0101111",
        "0111011",
        "0110111",
        "0001011",
    ]
    parity = [
        "LLLLLL",
        "LLGLGG",
        "LLGGLG",
        "LLGGGL",
        "LGLLGG",
        "LGGLLG",
        "LGGGLL",
        "LGLGLG",
        "LGLGGL",
        "LGGLGL",
    ]
    right = [code.translate(str.maketrans("01", "10")) for code in left]
    even = [code[::-1] for code in right]
    order = parity[int(digits[0])]
    first = "".join(
        (left if p == "L" else even)[int(d)] for p, d in zip(order, digits[1:7], strict=True)
    )
    return f"101{first}01010{''.join(right[int(d)] for d in digits[7:])}101"
