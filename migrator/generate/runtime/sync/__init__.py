"""Repositories over pymongo's MongoClient. `sync` is made of these modules and never edited by hand."""
