"""What the product is: category, colours, brand and model number, with evidence for each."""

from models.recognition.categories import Categories, Label
from models.recognition.embedding import decode_embedding, encode_embedding, similarity
from models.recognition.lexicon import Brand, Lexicon
from models.recognition.recogniser import Recogniser

__all__ = [
    "Brand",
    "Categories",
    "Label",
    "Lexicon",
    "Recogniser",
    "decode_embedding",
    "encode_embedding",
    "similarity",
]
