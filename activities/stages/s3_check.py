"""The test of an `s3` connection: whether the service takes its keys, and whether its bucket is there."""

from activities.stages.exchange import Answer
from activities.stages.kind import ConnectionContext
from activities.stages.s3_bucket import Bucket, S3Connection
from activities.stages.s3_errors import refused
from activities.stages.s3_xml import parsed

DENIED = "AccessDenied"


async def check_connection(context: ConnectionContext[S3Connection]) -> str:
    """List the bucket, one key at most, or the buckets without one.

    It is no HEAD, whose answer has no body to tell wrong keys from keys that may not do this: good keys may
    be allowed no more than to put objects.
    """
    name = context.connection.bucket
    bucket = Bucket(context.connection, name or "", context.egress, context.timeout)
    query = {"list-type": "2", "max-keys": "1"} if name else {}
    answer = await bucket.ask("GET", query=query, fine=(403,))
    what = f"the bucket {name}" if name else "buckets"
    if answer.status != 403:
        _require_list(answer, what)
        return f"{what} can be listed with these keys" if name else "the keys are known, and may list buckets"
    if _code(answer) != DENIED:
        raise refused(f"GET {name or ''}", answer)
    return f"the keys are known, but may not list {what}; what else they may do was not tested"


def _require_list(answer: Answer, what: str) -> None:
    found = parsed(answer.content)
    if found is None or found.name not in {"ListBucketResult", "ListAllMyBucketsResult"}:
        raise refused(f"GET {what}", answer)  # A page of something that is no S3 service.


def _code(answer: Answer) -> str:
    found = parsed(answer.content)
    return found.get("Code") if found is not None and found.name == "Error" else ""
