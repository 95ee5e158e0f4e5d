"""The change log.

events: what the log says, reduced to what names documents, and what the state keeps of it.
position: which server, and where its log stands.
coordinates: which of two places in one server's log comes first.
"""
