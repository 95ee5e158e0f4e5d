"""Documents as BSON bytes to and from pymongo, without decoding them."""

from __future__ import annotations

from bson import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

# Dates outside of Python's range are looked past, sub-documents stay bytes.
RAW = CodecOptions(document_class=RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_MS)


def bson_of(document: RawBSONDocument) -> bytes:
    """The bytes of a document that was read.

    Since pymongo 4.18, `raw` of a document of 4 kB or more is a memoryview of the server's reply: it has no methods of
    bytes, can't be pickled, and keeps the whole reply in memory.
    """
    return bytes(document.raw)
