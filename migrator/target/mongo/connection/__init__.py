"""The connection to MongoDB, and what its errors mean.

clock: what time it is at a server.
codes: error codes of the server.
failure: the driver's errors in migrator's words.
raw: documents as BSON bytes to and from pymongo, without decoding them.
server_message: errors of a server in sentences without values.
session: the connection to a MongoDB database, with the guarantees migrator relies on whatever the URL says.
"""
