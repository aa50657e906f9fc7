"""Every text a client may be refused with. Clients match on them, so they are looked at together.

Source: the replies of Redis 7.0.15. A text here begins with its error code; the writer adds the ``-`` and the line end.
"""

from typing import Final

from gossamer.cluster.text import bytes_of


class Refusal(Exception):
    """The client's request cannot be served; ``text`` is the error reply without the leading ``-``."""

    def __init__(self, text: bytes) -> None:
        self.text: bytes = text


class ProtocolError(Exception):
    """The client does not speak RESP; it gets ``-ERR Protocol error: <text>`` and the connection is closed."""

    def __init__(self, text: bytes) -> None:
        self.text: bytes = text


WRONGTYPE: Final = b"WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_AN_INTEGER: Final = b"ERR value is not an integer or out of range"
NOT_A_FLOAT: Final = b"ERR value is not a valid float"
SYNTAX: Final = b"ERR syntax error"
NO_SUCH_KEY: Final = b"ERR no such key"
OUT_OF_RANGE: Final = b"ERR index out of range"
OUT_OF_LONG: Final = b"ERR value is out of range"
NOT_POSITIVE: Final = b"ERR value is out of range, must be positive"
COUNT_NOT_POSITIVE: Final = b"ERR count should be greater than 0"
COUNT_NEGATIVE: Final = b"ERR COUNT can't be negative"
MAXLEN_NEGATIVE: Final = b"ERR MAXLEN can't be negative"
RANK_RANGE: Final = b"ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
RANK_ZERO: Final = (
    b"ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from "
    b"the end of the list"
)
SAME_OBJECT: Final = b"ERR source and destination objects are the same"
NUMKEYS_NOT_POSITIVE: Final = b"ERR numkeys should be greater than 0"
NUMKEYS_OVER_ARGUMENTS: Final = b"ERR Number of keys can't be greater than number of args"
LIMIT_NEGATIVE: Final = b"ERR LIMIT can't be negative"
SORT_BY_IN_CLUSTER: Final = b"ERR BY option of SORT denied in Cluster mode."
SORT_GET_IN_CLUSTER: Final = b"ERR GET option of SORT denied in Cluster mode."
NOT_A_SCORE: Final = b"ERR One or more scores can't be converted into double"
INVALID_CURSOR: Final = b"ERR invalid cursor"
NOAUTH: Final = b"NOAUTH Authentication required."
WRONGPASS: Final = b"WRONGPASS invalid username-password pair or user is disabled."
NOPROTO: Final = b"NOPROTO unsupported protocol version"
NO_MEMORY: Final = b"OOM the system gives the node no memory for this request"
OUT_OF_MEMORY: Final = b"OOM command not allowed when used memory > 'maxmemory'."
EXECABORT: Final = b"EXECABORT Transaction discarded because of previous errors."
EXECABORT_BECAUSE: Final = b"EXECABORT Transaction discarded because of: "
NESTED_MULTI: Final = b"ERR MULTI calls can not be nested"
WATCH_IN_MULTI: Final = b"ERR WATCH inside MULTI is not allowed"
EXEC_WITHOUT_MULTI: Final = b"ERR EXEC without MULTI"
DISCARD_WITHOUT_MULTI: Final = b"ERR DISCARD without MULTI"
MIGRATE_EMPTY_KEY: Final = b"ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
TARGET_REFUSED: Final = b"ERR Target instance replied with error: "
CANNOT_CONNECT: Final = b"IOERR error or timeout connecting to the client"
CANNOT_WRITE: Final = b"IOERR error or timeout writing to target instance"
CANNOT_READ: Final = b"IOERR error or timeout reading to target instance"
CROSSSLOT: Final = b"CROSSSLOT Keys in request don't hash to the same slot"
TRYAGAIN: Final = b"TRYAGAIN Multiple keys request during rehashing of slot"
SLOT_UNSERVED: Final = b"CLUSTERDOWN Hash slot not served"
CLUSTER_DOWN: Final = b"CLUSTERDOWN The cluster is down"
CLUSTER_DISABLED: Final = b"ERR This instance has cluster support disabled"
SELECT_IN_CLUSTER: Final = b"ERR SELECT is not allowed in cluster mode"
DB_INDEX: Final = b"ERR DB index is out of range"
FIRST_DB_INDEX: Final = b"ERR invalid first DB index"
SECOND_DB_INDEX: Final = b"ERR invalid second DB index"
NOT_AN_INT: Final = b"ERR value is out of range, value must between -2147483648 and 2147483647"
COPY_IN_CLUSTER: Final = b"ERR Copying to another database is not allowed in cluster mode"
MOVE_IN_CLUSTER: Final = b"ERR MOVE is not allowed in cluster mode"
SWAPDB_IN_CLUSTER: Final = b"ERR SWAPDB is not allowed in cluster mode"
EXPIRE_NX_AND_OTHERS: Final = b"ERR NX and XX, GT or LT options at the same time are not compatible"
EXPIRE_GT_AND_LT: Final = b"ERR GT and LT options at the same time are not compatible"
LFU_NOT_SELECTED: Final = (
    b"ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching "
    b"between policies at runtime LRU and LFU data will take some time to adjust."
)
LFU_SELECTED: Final = (
    b"ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies "
    b"at runtime LRU and LFU data will take some time to adjust."
)
STRING_TOO_LONG: Final = b"ERR string exceeds maximum allowed size (proto-max-bulk-len)"
NOT_A_HLL: Final = b"WRONGTYPE Key is not a valid HyperLogLog string value."
HLL_CORRUPTED: Final = b"INVALIDOBJ Corrupted HLL object detected"
HLL_NO_KEY: Final = b"ERR The specified key does not exist"
HLL_NOT_SPARSE: Final = b"ERR HLL encoding is not sparse"
GEO_UNIT: Final = b"ERR unsupported unit provided. please use M, KM, FT, MI"
GEO_MEMBER: Final = b"ERR could not decode requested zset member"
NUMERIC_RADIUS: Final = b"ERR need numeric radius"
RADIUS_NEGATIVE: Final = b"ERR radius cannot be negative"
NUMERIC_WIDTH: Final = b"ERR need numeric width"
NUMERIC_HEIGHT: Final = b"ERR need numeric height"
BOX_NEGATIVE: Final = b"ERR height or width cannot be negative"
POLYGON_NUMBER: Final = b"ERR invalid number of vertices"
POLYGON_CORNERS: Final = b"ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"
COUNT_POSITIVE: Final = b"ERR COUNT must be > 0"
ANY_WITHOUT_COUNT: Final = b"ERR the ANY argument requires COUNT argument"
BIT_OFFSET: Final = b"ERR bit offset is not an integer or out of range"
BIT_VALUE: Final = b"ERR bit is not an integer or out of range"
BIT_ARGUMENT: Final = b"ERR The bit argument must be 1 or 0."
BITOP_NOT: Final = b"ERR BITOP NOT must be called with a single source key."
BITFIELD_TYPE: Final = (
    b"ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
)
BITFIELD_OVERFLOW: Final = b"ERR Invalid OVERFLOW type specified"
BITFIELD_READONLY: Final = b"ERR BITFIELD_RO only supports the GET subcommand"
OFFSET_OUT_OF_RANGE: Final = b"ERR offset is out of range"
ZADD_NX_AND_XX: Final = b"ERR XX and NX options at the same time are not compatible"
ZADD_COMPARISONS: Final = b"ERR GT, LT, and/or NX options at the same time are not compatible"
ZADD_INCR_PAIRS: Final = b"ERR INCR option supports a single increment-element pair"
SCORE_NAN: Final = b"ERR resulting score is not a number (NaN)"
SCORE_RANGE: Final = b"ERR min or max is not a float"
LEX_RANGE: Final = b"ERR min or max not valid string range item"
LIMIT_WITHOUT_BY: Final = b"ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
WITHSCORES_BYLEX: Final = b"ERR syntax error, WITHSCORES not supported in combination with BYLEX"
WEIGHT: Final = b"ERR weight value is not a float"
LCS_TYPES: Final = b"ERR The specified keys must contain string values"
LCS_BOTH: Final = b"ERR If you want both the length and indexes, please just use IDX."
LCS_TOO_LARGE: Final = b"ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
DECREMENT_OVERFLOW: Final = b"ERR decrement would overflow"
OVERFLOW: Final = b"ERR increment or decrement would overflow"
NAN_OR_INFINITY: Final = b"ERR increment would produce NaN or Infinity"
INFINITE_INCREMENT: Final = b"ERR value is NaN or Infinity"
HASH_NOT_AN_INTEGER: Final = b"ERR hash value is not an integer"
HASH_NOT_A_FLOAT: Final = b"ERR hash value is not a float"
NUMFIELDS: Final = b"ERR numfields should be greater than 0 and match the provided number of fields"
COUNT_OUT_OF_RANGE: Final = b"ERR value is out of range"
DEBUG_NOT_ALLOWED: Final = (
    b'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a '
    b"local connection, otherwise you need to set this option in the configuration file, and then restart the server."
)
MONITORS_ONLY: Final = b"ERR Replica can't interact with the keyspace"
MONITOR_INSIDE: Final = b"ERR MONITOR isn't allowed for DENY BLOCKING client"
NOAUTH_HELLO: Final = (
    b"NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option "
    b"can be used to authenticate the client and select the RESP protocol version at the same time"
)
NO_PASSWORD: Final = (
    b"ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration "
    b"is correct?"
)
PROTOCOL_NUMBER: Final = b"ERR Protocol version is not an integer or out of range"
CLIENT_NAME: Final = b"ERR Client names cannot contain spaces, newlines or special characters."
CLIENT_ID: Final = b"ERR Invalid client ID"
CLIENT_ID_POSITIVE: Final = b"ERR client-id should be greater than 0"
NO_SUCH_CLIENT: Final = b"ERR No such client"
NO_REDIRECT_CLIENT: Final = b"ERR The client ID you want redirect to does not exist"
ONE_REDIRECT: Final = b"ERR A client can only redirect to a single other client"
PREFIX_WITHOUT_BCAST: Final = b"ERR PREFIX option requires BCAST mode to be enabled"
BCAST_SWITCHED: Final = (
    b"ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a "
    b"different mode."
)
BCAST_AND_OPT: Final = b"ERR OPTIN and OPTOUT are not compatible with BCAST"
OPTIN_AND_OPTOUT: Final = b"ERR You can't specify both OPTIN mode and OPTOUT mode"
OPT_SWITCHED: Final = (
    b"ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a "
    b"different mode."
)
CACHING_UNTRACKED: Final = (
    b"ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
)
CACHING_YES: Final = b"ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
CACHING_NO: Final = b"ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
PAUSE_MODE: Final = b"ERR CLIENT PAUSE mode must be WRITE or ALL"
UNBLOCK_REASON: Final = b"ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
TIMEOUT_NUMBER: Final = b"ERR timeout is not an integer or out of range"
TIMEOUT_FLOAT: Final = b"ERR timeout is not a float or out of range"
TIMEOUT_RANGE: Final = b"ERR timeout is out of range"
TIMEOUT_NEGATIVE: Final = b"ERR timeout is negative"
NO_CONFIG_FILE: Final = b"ERR The server is running without a config file"
NO_SHUTDOWN: Final = b"ERR No shutdown in progress."
SHUTDOWN_FAILED: Final = b"ERR Errors trying to SHUTDOWN. Check logs."
SLOWLOG_COUNT: Final = b"ERR count should be greater than or equal to -1"
STREAM_ID: Final = b"ERR Invalid stream ID specified as stream command argument"
STREAM_START: Final = b"ERR invalid start ID for the interval"
STREAM_END: Final = b"ERR invalid end ID for the interval"
STREAM_EXHAUSTED: Final = b"ERR The stream has exhausted the last possible ID, unable to add more items"
STREAM_REQUIRED: Final = (
    b"ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
    b"option to create an empty stream automatically."
)
ENTRY_TOO_LARGE: Final = b"ERR Elements are too large to be stored"
XADD_ZERO: Final = b"ERR The ID specified in XADD must be greater than 0-0"
XADD_ID_TOO_SMALL: Final = b"ERR The ID specified in XADD is equal or smaller than the target stream top item"
XSETID_BELOW_GIVEN: Final = b"ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
XSETID_BELOW_DELETED: Final = b"ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
XSETID_BELOW_TOP: Final = b"ERR The ID specified in XSETID is smaller than the target stream top item"
ENTRIES_ADDED_NEGATIVE: Final = b"ERR entries_added must be positive"
ENTRIES_ADDED_TOO_SMALL: Final = b"ERR The entries_added specified in XSETID is smaller than the target stream length"
ENTRIES_READ: Final = b"ERR value for ENTRIESREAD must be positive or -1"
BUSYGROUP: Final = b"BUSYGROUP Consumer Group name already exists"
TRIM_TWICE: Final = b"ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
TRIM_MAXLEN_NEGATIVE: Final = b"ERR The MAXLEN argument must be >= 0."
TRIM_LIMIT_NEGATIVE: Final = b"ERR The LIMIT argument must be >= 0."
TRIM_LIMIT_ALONE: Final = b"ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
TRIM_LIMIT_EXACT: Final = b"ERR syntax error, LIMIT cannot be used without the special ~ option"
TRIM_WITHOUT_STRATEGY: Final = b"ERR syntax error, XTRIM must be called with a trimming strategy"
XREAD_GROUP: Final = b"ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
XREAD_NOACK: Final = b"ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
GROUP_IS_MISSING: Final = b"ERR Missing GROUP option for XREADGROUP"
NEW_WITHOUT_GROUP: Final = (
    b"ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
)
NEWEST_OF_GROUP: Final = (
    b"ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
    b"specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
)
XCLAIM_MIN_IDLE: Final = b"ERR Invalid min-idle-time argument for XCLAIM"
XAUTOCLAIM_MIN_IDLE: Final = b"ERR Invalid min-idle-time argument for XAUTOCLAIM"
XCLAIM_IDLE: Final = b"ERR Invalid IDLE option argument for XCLAIM"
XCLAIM_TIME: Final = b"ERR Invalid TIME option argument for XCLAIM"
XCLAIM_RETRYCOUNT: Final = b"ERR Invalid RETRYCOUNT option argument for XCLAIM"
BUSYKEY: Final = b"BUSYKEY Target key name already exists."
TTL_NEGATIVE: Final = b"ERR Invalid TTL value, must be >= 0"
IDLETIME_NEGATIVE: Final = b"ERR Invalid IDLETIME value, must be >= 0"
FREQ_OUT_OF_RANGE: Final = b"ERR Invalid FREQ value, must be >= 0 and <= 255"
DUMP_PAYLOAD: Final = b"ERR DUMP payload version or checksum are wrong"
DUMP_FORMAT: Final = b"ERR Bad data format"
READ_ONLY_REPLICA: Final = b"READONLY You can't write against a read only replica."
LINK_IS_DOWN: Final = b"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
PSYNC_FAILOVER_ID: Final = b"ERR PSYNC FAILOVER replid must match my replid."
NOT_ENOUGH_REPLICAS: Final = b"NOREPLICAS Not enough good replicas to write."
RETURNED_EMPTY: Final = b"CLUSTERDOWN This primary has come back without its keys, and no replica has joined it yet"
UNACKED_IN_TIME: Final = (
    b"UNACKED Done here, but too few replicas have acknowledged it in time: whether it survives a failure is unknown."
)
UNACKED_FOLLOWING: Final = (
    b"UNACKED Done here, but the node is a replica now, and too few replicas had acknowledged it: whether it survived "
    b"is unknown."
)
NO_PRIMARY_LINK: Final = b"NOMASTERLINK Can't SYNC while not connected with my master"
PENDING_OUTPUT: Final = b"ERR SYNC and PSYNC are invalid with pending output"
REPLICAOF_IN_CLUSTER: Final = b"ERR REPLICAOF not allowed in cluster mode."
PRIMARY_PORT: Final = b"ERR Invalid master port"
UNBLOCKED: Final = b"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
UNBLOCKED_BY_CLIENT: Final = b"UNBLOCKED client unblocked via CLIENT UNBLOCK"
WAIT_ON_REPLICA: Final = (
    b"ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured "
    b"to be writable (which is not the default) writes to replicas are just local and are not propagated."
)
WAITAOF_ON_REPLICA: Final = (
    b"ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and "
    b"are not propagated."
)
WAITAOF_WITHOUT_AOF: Final = b"ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
NOT_0_OR_1: Final = b"ERR value is out of range, value must between 0 and 1"
PACKED_THRESHOLD: Final = b"ERR argument must be a memory value bigger than 1 and smaller than 4gb"
NOT_A_LISTPACK: Final = b"ERR Not a listpack encoded object."
NOT_A_QUICKLIST: Final = b"ERR Not a quicklist encoded object."
NOT_AN_SDS: Final = b"ERR Not an sds encoded string."
NOT_A_TABLE: Final = b"ERR The value stored at the specified key is not represented using an hash table"
RELOAD_OPTIONS: Final = b"ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."
RELOAD_FAILED: Final = b"ERR Error trying to load the RDB dump, check server logs."
RESP3_ONLY: Final = b"ERR RESP2 is not supported by this command"


def wrong_arity(name: str) -> bytes:
    return b"ERR wrong number of arguments for '%s' command" % bytes_of(name)


def invalid_expire(name: str) -> bytes:
    return b"ERR invalid expire time in '%s' command" % bytes_of(name)


def c_string(text: bytes) -> bytes:
    """``text`` as Redis prints what a client sent: it ends at a NUL."""
    return text.partition(b"\0")[0]


def no_input_keys(name: str) -> bytes:
    return b"ERR at least 1 input key is needed for '%s' command" % bytes_of(name)


def unsupported_option(option: bytes) -> bytes:
    return one_line(b"ERR Unsupported option %s" % c_string(option))


def unknown_command(argv: list[bytes]) -> bytes:
    """Redis quotes at most 128 bytes of the name and of the arguments together; line ends become spaces."""
    shown = b""
    for arg in argv[1:]:
        if len(shown) >= 128:
            break
        shown += b"'%s' " % c_string(arg)[: 128 - len(shown)]
    return one_line(b"ERR unknown command '%s', with args beginning with: %s" % (c_string(argv[0])[:128], shown))


def unknown_subcommand(name: bytes, command: bytes) -> bytes:
    return one_line(b"ERR unknown subcommand '%s'. Try %s HELP." % (c_string(name)[:128], command.upper()))


def prefixes_overlap(prefix: bytes, which: bytes, other: bytes) -> bytes:
    """``which``: ``an existing`` or ``another provided``."""
    return one_line(
        b"ERR Prefix '%s' overlaps with %s prefix '%s'. Prefixes for a single client must not overlap."
        % (c_string(prefix), which, c_string(other))
    )


def subcommand_syntax(argv: list[bytes]) -> bytes:
    """For a subcommand that is known but not with so many arguments."""
    return one_line(
        b"ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP."
        % (c_string(argv[1])[:128], argv[0].upper())
    )


SAVE_UNDER_WAY: Final = b"ERR Background save already in progress"
REWRITE_IN_THE_WAY: Final = (
    b"ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a "
    b"BGSAVE whenever possible."
)
REWRITE_UNDER_WAY: Final = b"ERR Background append only file rewriting already in progress"
SAVE_FAILED: Final = b"ERR The data could not be saved, the log says why"
LOADING_DATA: Final = b"LOADING Redis is loading the dataset in memory"
CANNOT_SAVE: Final = (
    b"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that "
    b"may modify the data set are disabled, because this instance is configured to report errors during writes if RDB "
    b"snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
    b"error."
)


def cannot_append(reason: str) -> bytes:
    return one_line(b"MISCONF Errors writing to the AOF file: %s" % bytes_of(reason))


def no_group(key: bytes, group: bytes) -> bytes:
    return one_line(b"NOGROUP No such key '%s' or consumer group '%s'" % (c_string(key), c_string(group)))


def no_group_to_read(key: bytes, group: bytes) -> bytes:
    return no_group(key, group) + b" in XREADGROUP with GROUP option"


def no_group_of_key(group: bytes, key: bytes) -> bytes:
    return one_line(b"NOGROUP No such consumer group '%s' for key name '%s'" % (c_string(group), c_string(key)))


def unbalanced(of_group: bool) -> bytes:
    name, symbol = (b"xreadgroup", b">") if of_group else (b"xread", b"$")
    return b"ERR Unbalanced '%s' list of streams: for each stream key an ID or '%s' must be specified." % (name, symbol)


def unrecognized_claim(option: bytes) -> bytes:
    return one_line(b"ERR Unrecognized XCLAIM option '%s'" % c_string(option))


def int_between(low: int, high: int) -> bytes:
    return b"ERR value is out of range, value must between %d and %d" % (low, high)


def one_line(text: bytes) -> bytes:
    """An error reply is one line: CR and LF at its end are dropped, inside it they become spaces, as in Redis."""
    return text.rstrip(b"\r\n").replace(b"\r", b" ").replace(b"\n", b" ")


def unreadable(reason: str) -> bytes:
    """``vm-enabled``: the value that a request needs is not in memory, and cannot be read."""
    return b"IOERR " + bytes_of(reason)
