"""What goes wrong on the way to MySQL and there, as errors of a stage."""

from collections.abc import Mapping

from pydantic import JsonValue
from pymysql.constants import ER

from activities.stages.kind import StageError

# https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html, https://mariadb.com/kb/en/mariadb-error-codes/
AUTH = {1045, 1129, 1130, 1131, 1132, 1251, 1524, 1698, 1820, 1862, 3118, 3955, 4151}
TIMEOUT = {1969, 3024}  # max_statement_time of MariaDB, max_execution_time of MySQL
GONE = {1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 4031}
INTERRUPTED = 1317
NOT_TO_PREPARE = 1295  # "This command is not supported in the prepared statement protocol yet"

# The names are those of PostgreSQL, so that one `retry.on` fits both kinds.
_NAMES: Mapping[str, tuple[int, ...]] = {
    "unique_violation": (1022, 1062, 1169, 1586, 1761, 1762),
    "foreign_key_violation": (1216, 1217, 1451, 1452),
    "not_null_violation": (1048, 1263, 1364),
    "check_violation": (3819, 4025),
    "deadlock_detected": (1213, 3058),
    "serialization_failure": (1020, 1180, 3101),
    "lock_not_available": (1205, 3572),
    "query_canceled": (INTERRUPTED,),
    "syntax_error": (1064, 1065, 1149),
    "undefined_table": (1051, 1109, 1146),
    "undefined_column": (1054,),
    "undefined_function": (1305, 1630),
    "invalid_catalog_name": (1049,),
    "duplicate_table": (1050,),
    "duplicate_column": (1060,),
    "duplicate_object": (1007, 1061, 1304),
    "ambiguous_column": (1052,),
    "division_by_zero": (1365,),
    "numeric_value_out_of_range": (1264, 1690),
    "string_data_right_truncation": (1406,),
    "invalid_text_representation": (1265, 1292, 1366, 1367, 1411),
    "invalid_json_text": (3140, 3141, 4037, 4038),
    "insufficient_privilege": (1044, 1095, 1142, 1143, 1227, 1370),
    "read_only_sql_transaction": (1290, 1792, 1836, 3100),
    "too_many_connections": (1040, 1203, 1226),
    "out_of_memory": (1037, 1038, 1041),
    "disk_full": (1021, 1114),
    "program_limit_exceeded": (1118, 1153, 1390, 1436),
}
RETRYABLE = {
    "deadlock_detected",
    "serialization_failure",
    "lock_not_available",
    "query_canceled",
    "too_many_connections",
    "out_of_memory",
    "disk_full",
}
_BY_NUMBER = {number: name for name, numbers in _NAMES.items() for number in numbers}
_OWN = {number: name.lower() for name, number in vars(ER).items() if isinstance(number, int)}


class Refusal(Exception):
    """The server's error."""

    def __init__(self, number: int, state: str, text: str) -> None:
        super().__init__(text)
        self.number = number
        self.state = state


class Garbled(Exception):
    """What came is not what a MySQL server says."""


class TooLarge(Exception):
    """More came than may be held."""


def refusal(packet: bytes) -> Refusal:
    """The error that a packet says."""
    number, rest = int.from_bytes(packet[1:3], "little"), packet[3:]
    state = rest[1:6].decode(errors="replace") if rest[:1] == b"#" else "HY000"
    text = rest[6:] if rest[:1] == b"#" else rest
    return Refusal(number, state, text.decode(errors="replace"))


def failure(error: Refusal) -> StageError:
    """The failure of a login or a statement."""
    details: dict[str, JsonValue] = {"number": error.number, "sqlstate": error.state}
    if error.number in AUTH:
        return StageError("auth", str(error), retryable=False, details=details)
    if error.number in TIMEOUT:
        return StageError("timeout", f"the statement was stopped: {error}", retryable=True, details=details)
    if error.number in GONE:
        return StageError("connection", str(error), retryable=True, details=details)
    name = _BY_NUMBER.get(error.number) or _OWN.get(error.number, "unknown")
    return StageError(f"sql.{name}", str(error), retryable=name in RETRYABLE, details=details)


def garbled(host: str) -> StageError:
    """The error of a server that is no MySQL server, or lost the thread."""
    return StageError("connection", f"{host} does not speak MySQL's protocol", retryable=True)
