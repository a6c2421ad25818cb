"""Reading text: PP-OCRv6 small for detection and recognition, a small net for 0/180 degrees.

detection    where the lines are: net, probability map, rotated boxes
geometry     corners, crops, quarter turns
orientation  which crops stand on their head
recognition  crops to characters; ctc turns the net's output into text
order        the order in which a person would read the lines
script       which writing system a line is in
unsupported  signs of a script that the model cannot read
calibration  score to probability
reader       all of it together: picture in, `packshot.results.TextResult` out
"""

from models.ocr.ctc import Reading
from models.ocr.detection import FAST, DetectionOptions, Region
from models.ocr.reader import ReaderOptions, TextReader

__all__ = ["FAST", "DetectionOptions", "ReaderOptions", "Reading", "Region", "TextReader"]
