"""What stands before the lens: solids of some material, turned and moved; table and backdrop.

Centimetres, y up, the table is y = 0. Vectors are float32 (3, N).
"""

from dataclasses import dataclass, field, replace

import numpy as np

from tools.samples.materials import Material
from tools.samples.optics import Camera, Light
from tools.samples.solids import Array, Solid
from tools.samples.textures import Backdrop, Tabletop


@dataclass(frozen=True, slots=True)
class Part:
    """One solid of one material, turned by `turn` and then moved by `move`."""

    solid: Solid
    material: Material
    move: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: Array = field(default_factory=lambda: np.eye(3, dtype=np.float32))
    #: How much of the light it stops when it casts a shadow.
    shade: float = 1.0
    #: Fur: strands per cm2 and their length in cm; 0 is none.
    fur: tuple[float, float] = (0.0, 0.0)

    def inward(self, p: Array) -> Array:
        """World points to local ones."""
        return self.turn.T @ (p - np.array(self.move, np.float32)[:, None])

    def outward(self, p: Array) -> Array:
        """Local points to world ones."""
        return self.turn @ p + np.array(self.move, np.float32)[:, None]

    def hit(self, origin: Array, direction: Array, *, inside: bool = False) -> Array:
        """As `Solid.hit`, in the world."""
        return self.solid.hit(self.inward(origin), self.turn.T @ direction, inside=inside)

    def placed(self, move: tuple[float, float, float], turn: Array) -> "Part":
        """The part of an assembly after the whole is turned and then moved."""
        at = turn @ np.array(self.move, np.float32) + np.array(move, np.float32)
        return replace(self, turn=turn @ self.turn, move=(float(at[0]), float(at[1]), float(at[2])))


def turned(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Array:
    """A rotation by degrees about z, then x, then y."""
    cx, cy, cz = np.cos(np.radians([x, y, z]))
    sx, sy, sz = np.sin(np.radians([x, y, z]))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a shot needs to be rendered."""

    camera: Camera
    light: Light
    table: Tabletop
    backdrop: Backdrop
    parts: tuple[Part, ...]
    #: Where the table ends behind the subject, cm from the origin.
    edge: float = 45.0
