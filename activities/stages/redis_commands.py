"""The commands that a `redis` stage may send: those that read and write keys, and are done at once."""

from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from dsl.problems import did_you_mean

MOST_SCANNED = 10_000  # keys that one call may look at: some milliseconds in which nobody else is served

_KEYS = """
COPY DEL EXISTS EXPIRE EXPIREAT EXPIRETIME PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PTTL RANDOMKEY RENAME
RENAMENX SCAN TOUCH TTL TYPE UNLINK
"""
_TEXTS = """
APPEND DECR DECRBY GET GETDEL GETEX GETRANGE GETSET INCR INCRBY INCRBYFLOAT LCS MGET MSET MSETNX PSETEX SET
SETEX SETNX SETRANGE STRLEN SUBSTR BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS GETBIT SETBIT PFADD PFCOUNT
PFMERGE
"""
_HASHES = """
HDEL HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HRANDFIELD HSCAN HSET HSETNX HSTRLEN
HVALS HEXPIRE HEXPIREAT HEXPIRETIME HPERSIST HPEXPIRE HPEXPIREAT HPEXPIRETIME HPTTL HTTL HGETDEL HGETEX HSETEX
"""
_LISTS = """
LINDEX LINSERT LLEN LMOVE LMPOP LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM RPOP RPOPLPUSH RPUSH RPUSHX SORT
SORT_RO
"""
_SETS = """
SADD SCARD SDIFF SDIFFSTORE SINTER SINTERCARD SINTERSTORE SISMEMBER SMEMBERS SMISMEMBER SMOVE SPOP SRANDMEMBER
SREM SSCAN SUNION SUNIONSTORE ZADD ZCARD ZCOUNT ZDIFF ZDIFFSTORE ZINCRBY ZINTER ZINTERCARD ZINTERSTORE
ZLEXCOUNT ZMPOP ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANGESTORE ZRANK ZREM
ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN
ZSCORE ZUNION ZUNIONSTORE GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUS_RO GEORADIUSBYMEMBER
GEORADIUSBYMEMBER_RO GEOSEARCH GEOSEARCHSTORE
"""
_STREAMS = """
XACK XADD XAUTOCLAIM XCLAIM XDEL XGROUP XINFO XLEN XPENDING XRANGE XREAD XREADGROUP XREVRANGE XTRIM
"""
_OTHERS = "PUBLISH SPUBLISH PING TIME DBSIZE"
ALLOWED = frozenset(" ".join((_KEYS, _TEXTS, _HASHES, _LISTS, _SETS, _STREAMS, _OTHERS)).split())

_WAITS = "it waits, and a stage is done at once"
_STATE = "it changes the connection, which ends with the stage"
_SCRIPT = "scripts and functions are not let through"
_ADMIN = "it administers the server"
_REASONS: Mapping[str, str] = {
    _WAITS: "BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF",
    _STATE: "AUTH HELLO SELECT RESET QUIT SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE "
    "SUNSUBSCRIBE MONITOR WATCH UNWATCH READONLY READWRITE ASKING CLIENT",
    _SCRIPT: "EVAL EVALSHA EVAL_RO EVALSHA_RO SCRIPT FUNCTION FCALL FCALL_RO",
    _ADMIN: "ACL BGREWRITEAOF BGSAVE CLUSTER COMMAND CONFIG DEBUG FAILOVER FLUSHALL FLUSHDB INFO LASTSAVE "
    "LATENCY MEMORY MODULE PSYNC REPLICAOF ROLE SAVE SHUTDOWN SLAVEOF SLOWLOG SWAPDB SYNC",
    "it looks at every key at once; give `scan`": "KEYS",
    "set `atomic: true` with `commands`": "MULTI EXEC DISCARD",
    "it reaches beyond the connection's database": "MOVE MIGRATE DUMP RESTORE",
}
_REFUSED: Mapping[str, str] = {name: why for why, names in _REASONS.items() for name in names.split()}
_SUBCOMMANDS: Mapping[str, frozenset[str]] = {
    "XGROUP": frozenset(("CREATE", "CREATECONSUMER", "DELCONSUMER", "DESTROY", "SETID")),
    "XINFO": frozenset(("CONSUMERS", "GROUPS", "STREAM")),
}


def refusal_of(command: Sequence[JsonValue]) -> str | None:
    """Why a command is not let through, with a hint behind `;`, or None if it is."""
    name = command[0] if command else None
    if not isinstance(name, str):
        return "a command begins with its name; such as [SET, greeting, hello]"
    if "${{" in name:
        return "a command is named, not computed; expressions go into the values behind its name"
    upper = name.upper()
    if upper not in ALLOWED:
        return _unlisted(name)
    texts = [str(value).upper() for value in command[1:]]
    check = _CHECKS.get(upper)
    return check(upper, texts) if check else None


def _unlisted(name: str) -> str:
    upper = name.upper()
    if upper in _REFUSED:
        return f"{upper} is not let through; {_REFUSED[upper]}"
    words = name.split()
    if words and words[0].upper() in ALLOWED | _REFUSED.keys():
        return f"'{name[:60]}' is one value; write each for itself, [{words[0]}, …]"
    hint = did_you_mean(upper[:60], ALLOWED) or "docs/data.md says which are"
    return f"no command '{name[:60]}' is let through; {hint}"


def _known_subcommand(name: str, values: Sequence[str]) -> str | None:
    if values and values[0] in _SUBCOMMANDS[name]:
        return None
    return f"{name} takes one of {', '.join(sorted(_SUBCOMMANDS[name]))}, written out"


def _no_block(name: str, values: Sequence[str]) -> str | None:
    options = values[3:] if name == "XREADGROUP" else values  # behind GROUP, its name and the consumer's
    before = options[: options.index("STREAMS")] if "STREAMS" in options else options
    return f"{name} with BLOCK is not let through; {_WAITS}" if "BLOCK" in before else None


def _no_database(name: str, values: Sequence[str]) -> str | None:
    return f"{name} to another database is not let through" if "DB" in values[2:] else None


def _few_at_once(name: str, values: Sequence[str]) -> str | None:
    first = 1 if name == "SCAN" else 2  # behind the cursor, and the key of the other ones
    options = dict(zip(values[first::2], values[first + 1 :: 2], strict=False))
    count = options.get("COUNT", "0")
    # A text that int() does not read is an expression yet, or for the server to refuse.
    is_many = count.lstrip("+").isdecimal() and (len(count) > 9 or int(count) > MOST_SCANNED)
    return f"COUNT of {name} is {MOST_SCANNED} at most" if is_many else None


_CHECKS: Mapping[str, Callable[[str, Sequence[str]], str | None]] = {
    **dict.fromkeys(("XREAD", "XREADGROUP"), _no_block),
    **dict.fromkeys(("SCAN", "HSCAN", "SSCAN", "ZSCAN"), _few_at_once),
    **dict.fromkeys(("XGROUP", "XINFO"), _known_subcommand),
    "COPY": _no_database,
}
