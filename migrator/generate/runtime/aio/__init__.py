"""Repositories over pymongo's AsyncMongoClient. `sync` is made of these modules and never edited by hand."""
