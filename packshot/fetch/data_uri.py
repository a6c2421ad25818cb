"""Small pictures inside the address itself: `data:image/png;base64,...` (RFC 2397)."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from packshot.contract import MAX_DATA_URI
from packshot.errors import ImageTooLarge, InvalidMessage
from packshot.fetch.policy import Fetched

#: A data URI has no name of its own.
_NAME = "image"


def read_data_uri(uri: str) -> Fetched:
    """Decode a `data:` URI; its media type is not believed, the decoder looks at the bytes.

    Raises:
        ImageTooLarge: it is longer than the contract allows.
        InvalidMessage: it is not what RFC 2397 describes.
    """
    if len(uri) > MAX_DATA_URI:
        raise ImageTooLarge(
            f"The data: address has {len(uri):,} characters, the limit is {MAX_DATA_URI:,}: put "
            "the picture into the object store and send its name."
        )
    head, comma, body = uri.partition(",")
    if not comma:
        raise InvalidMessage("The data: address has no comma between its type and its content.")
    raw = unquote_to_bytes(body)
    if not head.lower().endswith(";base64"):
        return Fetched(raw, _NAME)
    try:
        return Fetched(base64.b64decode(raw, validate=True), _NAME)
    except binascii.Error as error:
        raise InvalidMessage("The data: address is not valid base64.") from error
