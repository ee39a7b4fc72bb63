"""Which commands are let through, compared with what a real server says of them."""

import pytest
from pydantic import JsonValue, ValidationError

from activities.stages.redis import RedisWith
from activities.stages.redis_commands import ALLOWED, refusal_of
from tests.servers import redis


def test_the_server_knows_no_reason_against_what_is_let_through() -> None:
    odd = {"admin", "blocking", "noscript", "no_auth", "no_multi"}
    with redis.running() as server, server.client() as client:
        known = [entry for entry in client.command().values() if entry["name"].upper() in ALLOWED]
    flags = {entry["name"]: odd & {str(flag).lower() for flag in entry["flags"]} for entry in known}
    assert len(known) > 160
    # With BLOCK, that is, which is refused.
    assert {name: found for name, found in flags.items() if found} == {
        "xread": {"blocking"},
        "xreadgroup": {"blocking"},
    }


def test_what_a_server_calls_dangerous_is_not_let_through() -> None:
    with redis.running() as server, server.client() as client:
        names = {name.upper() for name in client.execute_command("ACL", "CAT", "dangerous")}
        waits = {name.upper() for name in client.execute_command("ACL", "CAT", "blocking")}
        scripts = {name.upper() for name in client.execute_command("ACL", "CAT", "scripting")}
    assert names & ALLOWED == {"SORT", "SORT_RO"}  # for their run time, which is that of their one key
    assert waits & ALLOWED == {"XREAD", "XREADGROUP"}  # without BLOCK
    assert scripts & ALLOWED == set()


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["BLPOP", "k", 0], "BLPOP is not let through; it waits, and a stage is done at once"),
        (["eval", "return 1", 0], "EVAL is not let through; scripts and functions are not let through"),
        (["Config", "GET", "*"], "CONFIG is not let through; it administers the server"),
        (["KEYS", "*"], "KEYS is not let through; it looks at every key at once; give `scan`"),
        (["MULTI"], "MULTI is not let through; set `atomic: true` with `commands`"),
        (
            ["SUBSCRIBE", "c"],
            "SUBSCRIBE is not let through; it changes the connection, which ends with the stage",
        ),
        (["MIGRATE"], "MIGRATE is not let through; it reaches beyond the connection's database"),
        (["SETT", "k"], "no command 'SETT' is let through; did you mean 'SET'?"),
        (["GET k"], "'GET k' is one value; write each for itself, [GET, …]"),
        (["CONFIG SET"], "'CONFIG SET' is one value; write each for itself, [CONFIG, …]"),
        ([""], "no command '' is let through; docs/data.md says which are"),
        (
            ["${{ inputs.c }}"],
            "a command is named, not computed; expressions go into the values behind its name",
        ),
        ([1], "a command begins with its name; such as [SET, greeting, hello]"),
        (["XREAD", "BLOCK", 0, "STREAMS", "x", "$"], "XREAD with BLOCK is not let through"),
        (["xread", "count", 1, "block", 0, "streams", "x", "$"], "XREAD with BLOCK is not let through"),
        (["XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "x", ">"], "XREADGROUP with BLOCK"),
        (["XREAD", "BLOCK", 0], "XREAD with BLOCK is not let through"),
        (["SCAN", 0, "COUNT", 10_001], "COUNT of SCAN is 10000 at most"),
        (["SCAN", 0, "MATCH", "COUNT", "count", "+999999999999"], "COUNT of SCAN is 10000 at most"),
        (["HSCAN", "h", 0, "COUNT", "10001"], "COUNT of HSCAN is 10000 at most"),
        (["COPY", "a", "b", "DB", 1], "COPY to another database is not let through"),
        (["XGROUP", "HELP"], "XGROUP takes one of CREATE, CREATECONSUMER, DELCONSUMER, DESTROY, SETID"),
        (["XINFO"], "XINFO takes one of CONSUMERS, GROUPS, STREAM, written out"),
    ],
)
def test_commands_that_are_not_let_through(command: list[JsonValue], problem: str) -> None:
    assert (refusal_of(command) or "").startswith(problem)
    with pytest.raises(ValidationError):
        RedisWith.model_validate({"commands": [["PING"], command]})


@pytest.mark.parametrize(
    "command",
    [
        ["get", "k"],
        ["XREAD", "STREAMS", "BLOCK", "0"],
        ["XREADGROUP", "GROUP", "BLOCK", "BLOCK", "STREAMS", "x", ">"],
        ["SCAN", "0", "MATCH", "COUNT", "COUNT", "10000"],
        ["SCAN", 0, "COUNT", "${{ inputs.n }}"],
        ["COPY", "DB", "DB", "REPLACE"],
        ["XGROUP", "create", "x", "g", "$"],
    ],
)
def test_commands_that_only_look_like_one_that_is_not(command: list[JsonValue]) -> None:
    assert refusal_of(command) is None
