from collections.abc import Iterator

import pytest
from pydantic import JsonValue, ValidationError

from activities.stages.redis import REDIS, RedisWith
from tests.servers import redis
from tests.stages.contexts import brief, details, failure, run


@pytest.fixture(scope="module")
def server() -> Iterator[redis.Server]:
    with redis.running() as server:
        yield server


@pytest.fixture
def cache(server: redis.Server) -> dict[str, object]:
    """A connection to an empty database."""
    with server.client() as client:
        client.flushall()
    return server.settings


async def does(cache: dict[str, object], *command: object, **fields: object) -> object:
    return (await run(REDIS, {"command": [*command], **fields}, cache))["result"]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a b\r\n*1\r\n$8\r\nFLUSHALL", "a b\r\n*1\r\n$8\r\nFLUSHALL"),
        ("", ""),
        ("ä", "ä"),
        ("nul\0", "nul\0"),
        (7, "7"),
        (2**70, str(2**70)),
        (1.5, "1.5"),
        (True, "true"),
        ([1, "ä"], '[1,"ä"]'),
        ({"a": None}, '{"a":null}'),
        ({"base64": "YWI="}, "ab"),
        ({"base64": "YWI=", "a": 1}, '{"base64":"YWI=","a":1}'),
    ],
)
async def test_values_are_sent_as_they_are(cache: dict[str, object], value: JsonValue, stored: str) -> None:
    assert await does(cache, "set", "k", value) == "OK"
    assert await does(cache, "GET", "k") == stored


async def test_bytes_that_are_no_text_come_as_base64_and_can_go_back(cache: dict[str, object]) -> None:
    await does(cache, "SET", "k", {"base64": "/wA="})
    seen = await does(cache, "GET", "k")
    assert seen == {"base64": "/wA="}
    await does(cache, "SET", "other", seen)
    assert await does(cache, "STRLEN", "other") == 2


@pytest.mark.parametrize(
    ("writes", "read", "seen"),
    [
        ([], ["GET", "none"], None),
        ([["INCRBY", "n", 5]], ["INCR", "n"], 6),
        ([["HSET", "h", "a", 1, "b", "x"]], ["HGETALL", "h"], {"a": "1", "b": "x"}),
        ([], ["HGETALL", "none"], {}),
        ([["HSET", "h", {"base64": "/w=="}, 1]], ["HGETALL", "h"], [{"base64": "/w=="}, "1"]),
        ([["RPUSH", "l", "a", "b"]], ["LRANGE", "l", 0, -1], ["a", "b"]),
        ([["SADD", "s", "a"]], ["SMEMBERS", "s"], ["a"]),
        ([["ZADD", "z", 1.5, "a", 2, "b"]], ["ZRANGE", "z", 0, -1], ["a", "b"]),
        (
            [["ZADD", "z", 1.5, "a", "inf", "b"]],
            ["zrange", "z", 0, -1, "withscores"],
            [{"member": "a", "score": 1.5}, {"member": "b", "score": "inf"}],
        ),
        ([["ZADD", "z", 1.5, "a"]], ["ZPOPMIN", "z"], [{"member": "a", "score": 1.5}]),
        ([["ZADD", "z", 1.5, "a"]], ["ZSCORE", "z", "a"], 1.5),
        ([["ZADD", "z", 1.5, "a"]], ["ZMSCORE", "z", "a", "b"], [1.5, None]),
        ([["SET", "a", 1]], ["SCAN", 0, "MATCH", "a*", "COUNT", 10_000], ["0", ["a"]]),
        ([["XADD", "x", "1-1", "f", "v"]], ["XRANGE", "x", "-", "+"], [{"id": "1-1", "fields": {"f": "v"}}]),
        (
            [["XADD", "x", "1-1", "f", "v"]],
            ["XREAD", "COUNT", 1, "STREAMS", "x", 0],
            {"x": [{"id": "1-1", "fields": {"f": "v"}}]},
        ),
        ([], ["XREAD", "STREAMS", "BLOCK", 0], {}),
        ([["SET", "k", "v"]], ["TYPE", "k"], "string"),
        ([], ["PUBLISH", "channel", "hello"], 0),
        ([], ["PING"], "PONG"),
    ],
)
async def test_answers_are_json(
    cache: dict[str, object], writes: list[JsonValue], read: list[JsonValue], seen: JsonValue
) -> None:
    if writes:
        await run(REDIS, {"commands": writes}, cache)
    assert await does(cache, *read) == seen


async def test_a_group_reads_its_stream(cache: dict[str, object]) -> None:
    entry = {"id": "1-1", "fields": {"f": "v"}}
    await does(cache, "XGROUP", "CREATE", "x", "g", "$", "MKSTREAM")
    await does(cache, "XADD", "x", "1-1", "f", "v")
    assert await does(cache, "XREADGROUP", "GROUP", "g", "BLOCK", "STREAMS", "x", ">") == {"x": [entry]}
    assert await does(cache, "XAUTOCLAIM", "x", "g", "other", 0, 0) == ["0-0", [entry], []]
    groups = await does(cache, "XINFO", "GROUPS", "x")
    assert isinstance(groups, list)
    assert [(group["name"], group["pending"]) for group in groups] == [("g", 1)]
    assert await does(cache, "XACK", "x", "g", "1-1") == 1


async def test_json_is_read_where_it_is_asked_for(cache: dict[str, object]) -> None:
    await does(cache, "MSET", "a", {"n": [1]}, "b", "{no", "c", "1e999", "d", "")
    read = ["MGET", "a", "b", "c", "d", "none"]
    assert await does(cache, *read, parse_json=True) == [{"n": [1]}, "{no", "1e999", "", None]
    assert await does(cache, *read) == ['{"n":[1]}', "{no", "1e999", "", None]


async def test_commands_are_sent_together(cache: dict[str, object]) -> None:
    log: list[str] = []
    commands = [["SET", "a", 1], ["INCR", "a"], ["GET", "a"]]
    assert await run(REDIS, {"commands": commands}, cache, log=log) == {"results": ["OK", 2, "2"]}
    assert log == ["3 commands"]


async def test_the_longest_pipeline_arrives(cache: dict[str, object]) -> None:
    value = "x" * 5000
    output = await run(REDIS, {"commands": [["SET", f"k{n}", value] for n in range(1000)]}, cache)
    assert output == {"results": ["OK"] * 1000}
    assert await does(cache, "DBSIZE") == 1000


async def test_an_error_in_a_pipeline_says_what_was_done(cache: dict[str, object]) -> None:
    error = await failure(REDIS, {"commands": [["SET", "a", 1], ["LPUSH", "a", 1], ["INCR", "a"]]}, cache)
    text = "Operation against a key holding the wrong kind of value"
    assert brief(error) == ("redis.wrongtype", f"commands.1 (LPUSH): WRONGTYPE {text}", False)
    wrong = {"error": "WRONGTYPE", "message": text}
    assert details(error) == {"error": "WRONGTYPE", "index": 1, "results": ["OK", wrong, 2]}


async def test_atomic_commands_are_one_transaction(cache: dict[str, object], server: redis.Server) -> None:
    commands = [["SET", "a", 1], ["ZADD", "z", 1, "m"], ["ZRANGE", "z", 0, -1, "WITHSCORES"]]
    output = await run(REDIS, {"commands": commands, "atomic": True}, cache)
    assert output == {"results": ["OK", 1, [{"member": "m", "score": 1.0}]]}
    with server.client() as client:
        assert client.info("commandstats")["cmdstat_exec"]["calls"] >= 1


async def test_atomic_commands_of_which_one_is_refused_change_nothing(cache: dict[str, object]) -> None:
    fields = {"commands": [["SET", "a", 1], ["SET", "b"]], "atomic": True}
    error = await failure(REDIS, fields, cache)
    assert (error.code, error.message[:15], error.retryable) == ("redis.err", "commands.1 (SET", False)
    assert await does(cache, "EXISTS", "a") == 0


async def test_an_error_within_a_transaction_is_told(cache: dict[str, object]) -> None:
    fields = {"commands": [["SET", "a", 1], ["LPUSH", "a", 1]], "atomic": True}
    error = await failure(REDIS, fields, cache)
    assert (error.code, details(error)["index"]) == ("redis.wrongtype", 1)


async def test_keys_are_searched_within_a_limit(cache: dict[str, object]) -> None:
    writes = [["SET", f"orders:{n}", n] for n in range(900)] + [["HSET", "orders:h", "a", 1], ["SET", "x", 1]]
    await run(REDIS, {"commands": writes[:1000]}, cache)
    every = await run(REDIS, {"scan": {"match": "orders:*"}}, cache)
    some = await run(REDIS, {"scan": {"limit": 10}}, cache)
    hashes = await run(REDIS, {"scan": {"type": "hash"}}, cache)
    assert (len(set(every["keys"])), every["is_complete"]) == (901, True)
    assert (len(some["keys"]), some["is_complete"]) == (10, False)
    assert hashes == {"keys": ["orders:h"], "is_complete": True}


MANY: list[JsonValue] = ["MGET", *(f"{n}" * 50 for n in range(10))]


@pytest.mark.parametrize(
    "fields",
    [{"command": MANY}, {"commands": [MANY]}, {"commands": [MANY], "atomic": True}, {"scan": {}}],
    ids=["one", "many", "atomic", "scan"],
)
async def test_answers_have_a_limit(cache: dict[str, object], fields: dict[str, object]) -> None:
    await run(REDIS, {"commands": [["SET", f"{n}" * 50, "x" * 500] for n in range(10)]}, cache)
    error = await failure(REDIS, {**fields, "max_bytes": 500}, cache)
    message = "the answer is larger than max_bytes: 500; ask for less, or raise it"
    assert brief(error) == ("validation", message, False)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "give one of command, commands and scan"),
        ({"command": ["PING"], "scan": {}}, "give one of command, commands and scan"),
        ({"command": ["PING"], "atomic": True}, "atomic is for commands"),
        ({"command": []}, "a command begins with its name"),
        ({"command": [3]}, "a command begins with its name"),
        ({"command": "PING"}, "valid list"),
        ({"commands": []}, "at least 1 item"),
        ({"commands": [["PING"]] * 1001}, "at most 1000 items"),
        ({"command": ["SET", "k", None]}, "value 2 of SET is null"),
        ({"command": ["PING"], "max_bytes": 20_000_000}, "less than or equal to 16000000"),
    ],
)
def test_fields_that_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RedisWith.model_validate(fields)


@pytest.mark.parametrize("value", ["\ud800", {"base64": "?"}, {"base64": "ä"}, ["\ud800"]])
async def test_values_that_cannot_be_sent(cache: dict[str, object], value: JsonValue) -> None:
    error = await failure(REDIS, {"command": ["SET", "k", value]}, cache)
    assert (error.code, error.message[:5], error.retryable) == ("validation", "SET: ", False)
