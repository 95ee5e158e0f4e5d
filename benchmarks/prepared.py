"""Inserts documents that lie ready in a BSON file: what the server takes at most.

Usage: python -m benchmarks.prepared FILE.bson MONGODB_URL PROCESSES
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from multiprocessing import Process
from pathlib import Path
from typing import Any

import pymongo
from bson import decode_file_iter
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

BATCH = 1000


def batches(file: Path, part: int, parts: int) -> Iterator[list[RawBSONDocument]]:
    """Every `parts`-th batch of the file."""
    options: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
    batch: list[RawBSONDocument] = []
    number = 0
    with file.open("rb") as stream:
        for document in decode_file_iter(stream, options):
            batch.append(document)
            if len(batch) == BATCH:
                if number % parts == part:
                    yield batch
                number += 1
                batch = []
    if batch and number % parts == part:
        yield batch


def insert(file: Path, url: str, part: int, parts: int) -> None:
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(url, w="majority")
    collection = client.get_default_database()["prepared"]
    for batch in batches(file, part, parts):
        collection.insert_many(batch, ordered=False)


def main(file: str, url: str, processes: int) -> None:
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(url)
    client.get_default_database()["prepared"].drop()
    workers = [Process(target=insert, args=(Path(file), url, part, processes)) for part in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("a writer failed")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
