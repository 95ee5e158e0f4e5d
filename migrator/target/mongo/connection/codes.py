"""Error codes of the server: which are transient, which concern the server or the account, and which one document.

https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
"""

from __future__ import annotations

UNAUTHORIZED = 13
DOLLAR_NAME = 52
DOCUMENT_VALIDATION = 121
TOO_LARGE = 10334
DUPLICATE_KEY = 11000

TRANSIENT = frozenset(
    (
        6,  # HostUnreachable
        7,  # HostNotFound
        24,  # LockTimeout
        43,  # CursorNotFound
        46,  # LockBusy
        50,  # MaxTimeMSExpired
        64,  # WriteConcernTimeout: written, but not yet by a majority
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        112,  # WriteConflict
        133,  # FailedToSatisfyReadPreference
        134,  # ReadConcernMajorityNotAvailableYet
        175,  # QueryPlanKilled
        189,  # PrimarySteppedDown
        202,  # NetworkInterfaceExceededTimeLimit
        262,  # ExceededTimeLimit
        317,  # ConnectionPoolExpired
        365,  # TemporarilyUnavailable
        384,  # ConnectionError
        402,  # ResourceExhausted
        407,  # PooledConnectionAcquisitionExceededTimeLimit
        433,  # AdmissionQueueOverflow
        449,  # RateLimitExceeded
        462,  # IngressRequestRateLimitExceeded
        9001,  # SocketException
        10058,  # LegacyNotPrimary
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11601,  # Interrupted
        11602,  # InterruptedDueToReplStateChange
        12586,  # BackgroundOperationInProgressForDatabase
        12587,  # BackgroundOperationInProgressForNamespace
        13388,  # StaleConfig
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
        16500,  # TooManyRequests of services that limit the rate
    )
)

# The next document would be refused as well, whatever is in it.
_SURROUNDINGS = frozenset(
    (
        0,  # a failure without a code
        1,  # InternalError
        8,  # UnknownError
        11,  # UserNotFound
        UNAUTHORIZED,
        18,  # AuthenticationFailed
        20,  # IllegalOperation: no replica set
        26,  # NamespaceNotFound
        48,  # NamespaceExists
        59,  # CommandNotFound
        61,  # ShardKeyNotFound: the collection is sharded by another key than _id
        63,  # StaleShardVersion
        70,  # ShardNotFound
        71,  # ReplicaSetNotFound
        72,  # InvalidOptions
        73,  # InvalidNamespace
        74,  # NodeNotFound
        75,  # WriteConcernLegacyOK
        76,  # NoReplicationEnabled
        79,  # UnknownReplWriteConcern
        90,  # CallbackCanceled
        93,  # InvalidReplicaSetConfig
        94,  # NotYetInitialized
        95,  # NotSecondary
        100,  # UnsatisfiableWriteConcern
        101,  # OutdatedClient
        107,  # LockFailed
        109,  # ConfigurationInProgress
        115,  # CommandNotSupported
        117,  # ConflictingOperationInProgress
        118,  # NamespaceNotSharded
        123,  # NotAReplicaSet
        126,  # RPCProtocolNegotiationFailed
        140,  # InvalidSSLConfiguration
        141,  # SSLHandshakeFailed
        145,  # PooledConnectionsDropped
        146,  # ExceededMemoryLimit
        148,  # ReadConcernMajorityNotEnabled
        149,  # NoConfigPrimary
        150,  # StaleEpoch
        161,  # IncompatibleCollationVersion
        165,  # ViewDepthLimitExceeded
        166,  # CommandNotSupportedOnView
        167,  # OptionNotSupportedOnView
        169,  # CommandOnShardedViewNotSupportedOnMongod
        182,  # InvalidViewDefinition
        188,  # IncompatibleServerVersion
        203,  # ShardingStateNotInitialized
        204,  # TimeProofMismatch
        205,  # ClusterTimeFailsRateLimiter
        206,  # NoSuchSession
        208,  # TooManyLocks
        209,  # StaleClusterTime
        210,  # CannotVerifyAndSignLogicalTime
        211,  # KeyNotFound
        213,  # DuplicateSession
        214,  # AuthenticationRestrictionUnmet
        215,  # DatabaseDropPending
        216,  # ElectionInProgress
        217,  # IncompleteTransactionHistory
        225,  # TransactionTooOld
        227,  # CannotImplicitlyCreateCollection
        235,  # InternalErrorNotSupported
        237,  # CursorKilled
        238,  # NotImplemented
        239,  # SnapshotTooOld
        242,  # CannotCreateCollection
        243,  # IncompatibleWithUpgradedServer
        244,  # TransactionAborted
        246,  # SnapshotUnavailable
        249,  # StaleDbVersion
        250,  # StaleChunkHistory
        251,  # NoSuchTransaction
        256,  # TransactionCommitted
        257,  # TransactionTooLarge
        258,  # UnknownFeatureCompatibilityVersion
        261,  # TooManyLogicalSessions
        263,  # OperationNotSupportedInTransaction
        264,  # TooManyFilesOpen
        267,  # PreparedTransactionInProgress
        269,  # DataModifiedByRepair
        270,  # RepairedReplicaSetNode
        272,  # MigrationConflict
        276,  # IndexBuildAborted
        279,  # ClientDisconnect
        281,  # TransactionCoordinatorSteppingDown
        282,  # TransactionCoordinatorReachedAbortDecision
        283,  # WouldChangeOwningShard
        290,  # TransactionExceededLifetimeLimitSeconds
        301,  # DataCorruptionDetected
        303,  # SplitHorizonChange; FeatureNotSupported of other services
        310,  # PeriodicJobIsStopped
        319,  # MovePrimaryInProgress
        322,  # APIVersionError
        323,  # APIStrictError
        324,  # APIDeprecationError
        332,  # CannotDowngrade
        333,  # ServiceExecutorInShutdown
        334,  # MechanismUnavailable
        338,  # ReshardCollectionInProgress
        342,  # ReshardingCriticalSectionTimeout
        343,  # ShardCannotRefreshDueToLocksHeld
        347,  # APIMismatchError
        352,  # UnsupportedOpQueryCommand
        354,  # LoadBalancerSupportMismatch
        355,  # InterruptedDueToStorageChange
        356,  # TxnRetryCounterTooOld
        358,  # InternalTransactionNotSupported
        361,  # CollectionUUIDMismatch
        363,  # RetryableTransactionInProgress
        371,  # UserWritesBlocked
        388,  # TransactionTooLargeForCache
        391,  # ReauthenticationRequired
        8000,  # AtlasError
        10003,  # CannotGrowDocumentInCappedNamespace
        13297,  # DatabaseDifferCase
        14031,  # OutOfDiskSpace
        40415,  # an unknown field of a command
    )
)

# Those by which a whole command may be refused because of one document in it. Of other codes of a command nobody can
# tell whether they mean the document or the command.
_OF_A_DOCUMENT = frozenset(
    (
        14,  # TypeMismatch
        15,  # Overflow: nested too deeply
        22,  # InvalidBSON
        28,  # PathNotViable
        DOLLAR_NAME,
        53,  # InvalidIdField
        55,  # InvalidDBRef
        56,  # EmptyFieldName
        57,  # DottedFieldName
        DOCUMENT_VALIDATION,
        171,  # CannotIndexParallelArrays
        TOO_LARGE,
        13026,  # 2d index: no pair of coordinates
        13027,  # 2d index: out of range
        16746,  # a number as field name inside an array
        16755,  # 2dsphere index: no geometry
        16766,  # hashed index: an array
        16804,  # 2d index: no pair of numbers
        17261,  # text index: the language is no text
        17262,  # text index: an unknown language
        17280,  # KeyTooLong
        17419,  # an update made it too large
        17420,  # the same for a replacement
    )
)


def is_transient(code: int) -> bool:
    """Whether the same call may succeed later."""
    return code in TRANSIENT


def refuses_a_document(code: int) -> bool:
    """Whether the failure of one write in a batch concerns its document: it says so of that one whenever it is sent,
    and nothing of the others."""
    return code not in TRANSIENT and code not in _SURROUNDINGS


def may_hold_values(code: int) -> bool:
    """Whether the server's words for it may hold what documents hold, rather than names and sizes."""
    return refuses_a_document(code) or code in (0, 1, 8)


def may_be_one_document(code: int) -> bool:
    """Whether a command that failed as a whole with this code may have failed for one of its documents."""
    return code in _OF_A_DOCUMENT
