"""Cutting the subject out: a coarse mask by a net, then alpha and colours at full size.

u2net       picture to coarse mask, and how decided the net is
matter      all of it together: picture in, `Matted` out
fine        closed-form matting on top, for those who install the extra `fine`
confidence  what is suspicious about a matte, in numbers and sentences
"""

from models.matting.matter import Matted, Matter
from models.matting.u2net import Saliency

__all__ = ["Matted", "Matter", "Saliency"]
