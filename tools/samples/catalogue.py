"""The twelve shots: which product on which table under which light, and what is true about each."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tools.samples import goods, textures, vessels
from tools.samples.camera import Sensor
from tools.samples.optics import Camera, Lamp, Light
from tools.samples.scene import Scene, turned
from tools.samples.shapes import Product, place
from tools.samples.textures import Backdrop, Tabletop

Random = np.random.Generator

WINDOW = Lamp((-0.95, 0.85, 0.30), (1.28, 1.25, 1.20), (0.30, 0.46), (2, 3))
SOFTBOX = Lamp((-0.8, 1.0, 0.42), (1.22, 1.18, 1.12), (0.36, 0.46))
FILL = Lamp((0.7, 0.4, 0.8), (0.24, 0.24, 0.25), (0.3, 0.8))
RIM = Lamp((0.85, 0.45, -0.75), (0.20, 0.20, 0.20), (0.2, 0.7))
SKY, HORIZON = (0.23, 0.24, 0.27), (0.20, 0.20, 0.21)
DAY = Light((WINDOW, FILL, RIM), SKY, HORIZON)
STUDIO = Light((SOFTBOX, FILL, RIM), SKY, HORIZON)
BULB = Lamp((-0.6, 0.9, 0.5), (0.85, 0.68, 0.45), (0.6, 0.6))
EVENING = Light((BULB, FILL), (0.22, 0.19, 0.16), (0.16, 0.14, 0.11))


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to draw, with what the truth file says beyond what the drawing knows."""

    name: str
    sku: str
    size: tuple[int, int]
    subject: Callable[[], Product]
    table: Callable[[Random, int], Tabletop]
    backdrop: Callable[[Random], Backdrop]
    light: Light
    position: tuple[float, float, float]
    target: tuple[float, float, float]
    brand: tuple[str, ...] = ()
    model: str | None = None
    top1: tuple[int, ...] = ()
    top5: tuple[int, ...] = ()
    route: str = "accepted"
    reasons: tuple[str, ...] = ()
    notes: str = ""
    kind: str = "jpeg"
    quality: int = 87
    zoom: float = 2.1
    roll: float = 0.0
    aperture: float = 0.018
    edge: float = 45.0
    sensor: Sensor = field(default_factory=Sensor)
    #: EXIF orientation the file is stored in (1 is upright).
    orientation: int = 1
    gps: bool = False

    def scene(self, random: Random, scale: float) -> Scene:
        """Set the scene up at `scale` times the final number of pixels."""
        # Each has a generator of its own, so that one does not change with the other's size.
        table, backdrop = random.spawn(2)
        camera = Camera(*self.size, self.position, self.target, self.zoom, self.roll, self.aperture)
        texture = self.table(table, max(512, round(3072 * min(1.0, scale))))
        return Scene(
            camera.scaled(scale),
            self.light,
            texture,
            self.backdrop(backdrop),
            self.subject(),
            self.edge,
        )


def _oak(random: Random, n: int) -> Tabletop:
    return textures.wood(random, n, dark="#8a5a34", light="#c99a66", planks=6, gloss=0.03)


def _walnut(random: Random, n: int) -> Tabletop:
    return textures.wood(random, n, dark="#3b2417", light="#74492d", planks=5, gloss=0.04)


def _birch(random: Random, n: int) -> Tabletop:
    return textures.wood(random, n, dark="#c7a67c", light="#e6cfa9", planks=7, gloss=0.02)


def _kitchen(random: Random) -> Backdrop:
    things = ["#8d7c66", "#f3efe6", "#5f7a5a", "#b9a58a", "#3c4a4f", "#c98a4b", "#e6dccb"]
    return textures.room(random, wall="#d9d3c8", things=things, lights=5)


def _bathroom(random: Random) -> Backdrop:
    things = ["#eef2f1", "#9db0ad", "#6f8f73", "#e5cfc4", "#c4b29c", "#f6f4ef"]
    return textures.room(random, wall="#cbd3d3", things=things, count=20, lights=3, blur=9)


def _office(random: Random) -> Backdrop:
    things = ["#3a3f47", "#5d7386", "#d9dcdf", "#8b6b4e", "#a0522d", "#2f4858", "#e8e2d8"]
    return textures.room(random, wall="#aeb4ba", things=things, count=34, lights=7)


def _garden(random: Random) -> Backdrop:
    things = ["#4f7a3f", "#6e9a55", "#a9c487", "#3c5f33", "#c6d9a0", "#86a868"]
    return textures.room(
        random, wall="#a9c293", things=things, count=0, foliage=420, lights=26, blur=8
    )


def _evening(random: Random) -> Backdrop:
    things = ["#2c2622", "#8a6a45", "#463a30", "#5b3a29", "#9b7b52"]
    return textures.room(random, wall="#5a4a3c", things=things, lights=22)


def _plain_wall(random: Random) -> Backdrop:
    return textures.room(random, wall="#d9d5cf", things=["#cfc9c0", "#e3dfd8"], count=4, blur=25)


def _two() -> Product:
    return (
        *place(goods.juice_carton(), -3.6, -1.5, facing=-14),
        *place(vessels.soda_can(), 6.0, 2.6, facing=-3),
    )


def _lying_cell() -> Product:
    turn = turned(x=-24, z=-90)
    return tuple(part.placed((-2.9, 1.62, 0), turn) for part in vessels.battery())


SHOTS: tuple[Shot, ...] = (
    Shot(
        "lotion", "LUM-BL300", (1200, 1500), lambda: place(vessels.lotion(), facing=4),
        textures.marble, _bathroom, DAY, (0.5, 14.5, 41), (0, 8.4, 0),
        brand=("Lumora", "露茉"), top1=(631, 804), top5=(631, 804, 838),
        notes="pump bottle, English and Chinese", roll=0.5, sensor=Sensor(white=(0.99, 1.0, 1.03)),
    ),
    Shot(
        "tea", "NLF-TEA100", (1200, 1500), lambda: place(vessels.tea_tin(), facing=-4),
        _walnut, _evening, STUDIO, (1.5, 13.0, 33), (0, 6.1, 0),
        brand=("Northleaf", "北叶"),
        notes="vertical Chinese; stored as WebP; no ImageNet class fits a tin", kind="webp",
        quality=82,
    ),
    Shot(
        "earphones", "KIV-A310", (1440, 1080), lambda: place(goods.electronics_box(), facing=-33),
        lambda r, n: textures.stone(r, n, base="#8d9094"), _office, STUDIO, (0, 17.0, 40),
        (0.6, 4.4, 0),
        brand=("Kivo", "奇沃"), model="KV-A310", top1=(478, 692), top5=(478, 692),
        notes="three lit faces, model number and barcode", zoom=1.45,
    ),
    Shot(
        "flour", "SUN-FL1000", (1200, 1500), lambda: place(goods.flour_pouch(), facing=7),
        _birch, _kitchen, DAY, (0, 17.0, 50), (0, 10.0, 0),
        brand=("Sunmill", "晴磨"), top1=(692,), top5=(692, 728, 478),
        notes="paper pouch, large type", roll=-0.8, sensor=Sensor(white=(1.03, 1.0, 0.95)),
    ),
    Shot(
        "water", "BPK-W550", (1080, 1440), lambda: place(vessels.water_bottle()),
        lambda r, n: textures.stone(r, n, base="#54585c", gloss=0.05), _garden, DAY,
        (0, 14.5, 46), (0, 10.6, 0),
        brand=("Brightpeak", "明峰"), top1=(898, 737), top5=(898, 737),
        notes="clear bottle; its alpha counts the clear parts as the product", edge=26,
    ),
    Shot(
        "juice_and_soda", "VER-SET2", (1440, 1200), _two,
        lambda r, n: textures.tiles(r, n, base="#e9e6df", grout="#a8a39a"), _kitchen, DAY,
        (1.0, 16.5, 47), (0.8, 9.4, 0),
        brand=("Verdano", "绿园"), top1=(478, 692), top5=(478, 692, 737),
        route="either", reasons=("several_subjects",), notes="two products", zoom=1.36,
    ),
    Shot(
        "dish_soap", "TDW-DS500", (1080, 1350), lambda: place(vessels.soap_bottle(), facing=10),
        lambda r, n: textures.tiles(r, n, base="#9fb4b8", grout="#d9dddd", pitch=7.5), _bathroom,
        DAY, (-9.3, 13.5, 38), (-9.6, 9.2, 0),
        brand=("Tidewell", "汐井"), top1=(804,), top5=(804, 631, 898, 737),
        route="review", reasons=("subject_cropped",), notes="cut off by the right border",
        zoom=1.5, roll=1.6,
    ),
    Shot(
        "battery", "HEX-LR20", (1280, 960), _lying_cell,
        _walnut, _evening, EVENING, (0.6, 8.0, 17), (0, 1.4, 0),
        brand=("Hexon", "赫森"), route="review", reasons=("blurred", "too_dark"),
        notes="low light, out of focus; LR20 is a size and no model number; no ImageNet class fits",
        sensor=Sensor(
            exposure=0.16, softness=3.6, shake=(9, 20), noise=0.005, white=(1.06, 0.99, 0.86),
            sharpen=0.15,
        ),
        quality=80, zoom=1.45,
    ),
    Shot(
        "hand_cream", "LUM-HC075", (1080, 1440), lambda: place(vessels.cream_tube(), facing=-6),
        lambda r, n: textures.fabric(r, n, base="#d9cfc0"), _plain_wall, DAY, (0, 15.0, 41),
        (0, 8.6, 0),
        brand=("Lumora", "露茉"), top1=(631,), top5=(631, 838),
        notes="stored lying on its side with EXIF orientation 6 and a GPS position",
        orientation=6, gps=True, roll=-1.5,
    ),
    Shot(
        "teddy", "SOFT-TB18", (1200, 1200), lambda: place(goods.teddy(), facing=-10),
        _birch, _plain_wall, STUDIO, (0, 15.5, 44), (0, 7.8, 0),
        top1=(850,), top5=(850,), notes="fur; no text", zoom=1.75,
    ),
    Shot(
        "orange", "FRU-ORG01", (1200, 1000), lambda: place(goods.orange(), facing=20),
        lambda r, n: textures.fabric(r, n, base="#b9c3cc", stripe="#5d7f9e"), _kitchen, DAY,
        (0, 13.0, 26), (0.3, 3.6, 0),
        top1=(950,), top5=(950,), notes="fruit; no text", zoom=1.6,
        sensor=Sensor(white=(1.02, 1.0, 0.97)),
    ),
    Shot(
        "blank_jar", "JAR-0180", (1080, 1080), lambda: place(vessels.amber_jar(), facing=-5),
        textures.marble, _bathroom, STUDIO, (0, 10.5, 28), (0, 3.9, 0),
        top1=(720,), top5=(720, 631),
        route="either", reasons=("no_text",), notes="an empty label: no text at all", zoom=1.9,
    ),
)  # fmt: skip
