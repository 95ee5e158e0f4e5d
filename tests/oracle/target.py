"""What a target holds, as bytes, against what the oracle expects of the whole folder of mappings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import bson
import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from tests.oracle.compare import by_id, differences, without_id
from tests.oracle.documents import Oracle

# The documents of the collection that is named.
Documents = Callable[[str], Iterable[bytes]]


def in_mongodb(url: str) -> Documents:
    """Readers of the database of `url`."""

    def documents(name: str) -> Iterator[bytes]:
        with pymongo.MongoClient[RawBSONDocument](url, document_class=RawBSONDocument) as client:
            for document in client.get_default_database()[name].find():
                yield document.raw

    return documents


def in_files(folder: Path) -> Documents:
    """Readers of the BSON files in `folder`."""
    options = CodecOptions(document_class=RawBSONDocument)

    def documents(name: str) -> Iterator[bytes]:
        with (folder / f"{name}.bson").open("rb") as stream:
            for document in bson.decode_file_iter(stream, options):
                yield document.raw

    return documents


def assert_equal_to_the_oracle(source: str, mappings: Path, documents: Documents) -> int:
    """Every document of every collection, and none twice; returns how many there are."""
    oracle = Oracle(source, mappings)
    count = 0
    for name, collection in oracle.collections.items():
        expected = oracle.all_grouped(name).documents
        count += len(expected)
        if collection.keyless:
            assert Counter(map(without_id, expected.values())) == Counter(map(without_id, documents(name))), name
        else:
            found = list(documents(name))
            actual = by_id(found)
            assert len(actual) == len(found), f"{name}: a document is there twice"
            assert differences(expected, actual) == [], name
    return count
