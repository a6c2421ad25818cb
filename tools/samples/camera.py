"""From light to file: lens, sensor, a phone's processing, JPEG, EXIF."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from tools.samples.render import Rendered
from tools.samples.solids import Array
from tools.samples.textures import to_srgb

_ORIENTATION, _GPS, _MAKE, _MODEL, _SOFTWARE, _DATE = 0x0112, 0x8825, 0x010F, 0x0110, 0x0131, 0x0132
#: Where the tone curve leaves the straight line; above it highlights are rolled off.
_SHOULDER = 0.62


@dataclass(frozen=True, slots=True)
class Sensor:
    """How a shot was taken; lengths are in pixels at a picture width of 1000."""

    exposure: float = 1.0
    #: Blur of lens and demosaicing, standard deviation.
    softness: float = 0.55
    #: Shake: length and angle in degrees.
    shake: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.010
    white: tuple[float, float, float] = (1.0, 1.0, 1.0)
    vignette: float = 0.22
    sharpen: float = 0.35


def develop(rendered: Rendered, sensor: Sensor, random: np.random.Generator) -> tuple[Array, Array]:
    """Take the picture: sRGB (H, W, 3) and the alpha (H, W) that belongs to it, both 0..1.

    Lens and shake blur light and alpha alike, so that the alpha stays exact.
    """
    scale = rendered.alpha.shape[1] / 1000
    light, alpha = rendered.picture, rendered.alpha
    for blur in _blurs(sensor, scale):
        light = np.asarray(cv2.filter2D(light, -1, blur), np.float32)
        alpha = np.asarray(cv2.filter2D(alpha, -1, blur), np.float32)
    h, w = alpha.shape
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    fall = 1 - sensor.vignette * ((x**2 + y**2) / 2) ** 1.2
    light = light * (fall[..., None] * sensor.exposure * np.array(sensor.white)).astype(np.float32)
    light = _noisy(np.asarray(light, np.float32), sensor.noise, random)
    picture = to_srgb(_tone(light))
    halo = picture - cv2.GaussianBlur(picture, (0, 0), 1.1 * max(scale, 0.5))
    return np.clip(picture + sensor.sharpen * halo, 0, 1).astype(np.float32), np.clip(alpha, 0, 1)


def _blurs(sensor: Sensor, scale: float) -> list[Array]:
    sigma = max(sensor.softness * scale, 0.3)
    half = int(np.ceil(3 * sigma))
    line = cv2.getGaussianKernel(2 * half + 1, sigma, cv2.CV_32F)
    blurs = [np.asarray(line @ line.T, np.float32)]
    length, angle = sensor.shake
    if length * scale > 1:
        n = int(np.ceil(length * scale)) | 1
        kernel = np.zeros((n * 2 + 1, n * 2 + 1), np.float32)
        along = (
            np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * length * scale / 2
        )
        start, end = (np.round((n + s * along) * 16).astype(int) for s in (-1, 1))
        cv2.line(
            kernel,
            (int(start[0]), int(start[1])),
            (int(end[0]), int(end[1])),
            1.0,
            1,
            cv2.LINE_8,
            4,
        )
        blurs.append(kernel / kernel.sum())
    return blurs


def _noisy(light: Array, level: float, random: np.random.Generator) -> Array:
    """Photon noise grows with the root of the light; colour noise is coarser than luma noise."""
    h, w, _ = light.shape
    grain = random.standard_normal((h, w, 1)).astype(np.float32)
    colour = random.standard_normal((h // 2 + 1, w // 2 + 1, 3)).astype(np.float32)
    coarse = cv2.resize(colour, (w, h), interpolation=cv2.INTER_LINEAR)
    deviation = level * np.sqrt(np.maximum(light, 0) + 0.01)
    return np.asarray(light + deviation * (grain + 0.7 * coarse), np.float32)


def _tone(light: Array) -> Array:
    over = np.maximum(light - _SHOULDER, 0)
    room = 1 - _SHOULDER
    return np.asarray(np.minimum(light, _SHOULDER) + room * (1 - np.exp(-over / room)), np.float32)


def phone_exif(orientation: int = 1, *, gps: bool = False) -> Image.Exif:
    """EXIF as a phone writes it; `gps` adds a place in Lake Superior: nobody's home."""
    exif = Image.Exif()
    exif[_MAKE], exif[_MODEL] = "Packshot", "Drawn sample"
    exif[_SOFTWARE], exif[_DATE] = "tools/samples", "2026:01:15 10:30:00"
    exif[_ORIENTATION] = orientation
    if gps:
        exif.get_ifd(_GPS).update(
            {1: "N", 2: (47.0, 42.0, 0.0), 3: "W", 4: (87.0, 30.0, 0.0), 5: 0, 6: 183.0}
        )
    return exif


def encoded(picture: Array, kind: str, quality: int, exif: Image.Exif | None = None) -> bytes:
    """The file's bytes: sRGB 0..1 (H, W, 3 or 4) as `jpeg`, `webp` or `png`."""
    image = Image.fromarray(np.round(picture * 255).astype(np.uint8))
    out = io.BytesIO()
    options: dict[str, object] = {} if exif is None else {"exif": exif}
    if kind == "jpeg":
        image.save(
            out,
            "JPEG",
            quality=quality,
            subsampling="4:2:0",
            optimize=True,
            progressive=True,
            **options,
        )
    elif kind == "webp":
        image.save(out, "WEBP", quality=quality, method=6, **options)
    else:
        image.save(out, "PNG", optimize=True)
    return out.getvalue()


def grey_png(alpha: Array) -> bytes:
    """An 8-bit grey PNG of an alpha matte."""
    out = io.BytesIO()
    Image.fromarray(np.round(alpha * 255).astype(np.uint8)).save(out, "PNG", optimize=True)
    return out.getvalue()
