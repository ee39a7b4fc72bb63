"""The kind `s3`: one operation on the objects of a bucket.

The requests are signed with botocore's signer and sent here, not by boto3: that blocks, so it would need
threads that cannot be cancelled; it looks for credentials, proxies and a region in the environment, in files
and at the metadata address of clouds; and it resolves names itself. Sent as those of `http` are, requests
pass the same egress guard, have the same limits and errors, and end when the stage is cancelled.

A presigned address lets everybody who has it in. Its secret key cannot be found from it, but it has to stand
in the output, since stages after it use it: so it lives for a limited time, is never logged, and
`sensitive: true` on the stage hides it from people.
"""

import asyncio

from pydantic import JsonValue

from activities.stages.kind import Kind, StageContext, StageError
from activities.stages.s3_bucket import Bucket, S3Connection
from activities.stages.s3_check import check_connection
from activities.stages.s3_operations import OPERATIONS
from activities.stages.s3_with import S3With

Context = StageContext[S3With, S3Connection]


async def run(context: Context) -> JsonValue:
    """What the operation gives."""
    fields, connection = context.with_, context.connection
    name = fields.bucket or connection.bucket
    if name is None:
        raise StageError("validation", "no bucket: name one here or in the connection", retryable=False)
    bucket = Bucket(connection, name, context.egress, context.timeout)
    try:
        async with asyncio.timeout(context.timeout.total_seconds()):
            output = await OPERATIONS[fields.operation](bucket, fields)
    except TimeoutError:
        raise StageError("timeout", f"{fields.operation} took too long", retryable=True) from None
    context.log(f"{fields.operation} {name}/{fields.key or fields.prefix}")
    return output


S3 = Kind(
    name="s3",
    with_model=S3With,
    connection="required",
    is_pure=False,
    connection_model=S3Connection,
    run=run,
    check_connection=check_connection,
    summary="Reads and writes objects of Amazon S3, and of servers that speak its protocol.",
    example="""\
id: archive
uses: s3
connection: reports
with:
  operation: put
  key: "orders/${{ trigger.due }}.json"
  json: {total: 3}
  overwrite: false
""",
)
