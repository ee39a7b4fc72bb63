"""What to do about a connection that does not work, by the code of its error."""

from collections.abc import Mapping

_ADVICE: Mapping[str, str] = {
    "auth": "check the credentials, and what they are allowed to do there",
    "connection": "check the host and the port, that the server runs, and that it lets the workers through",
    "dns": "check the name of the host; the workers must be able to look it up",
    "egress_denied": "the operator opens networks with CRONNY_EGRESS_ALLOW",
    "rate_limited": "test it again later",
    "s3.no_such_bucket": "make the bucket, or name another one",
    "sql.insufficient_privilege": "grant the user what is missing, or name another database",
    "sql.invalid_catalog_name": "make the database, or name another one",
    "sql.too_many_connections": "close some of them, or raise the server's limit",
    "timeout": "check the host and the port; a firewall on the way may drop what the workers send",
    "tls": "check the name in the server's certificate, the authority that is trusted, and the port",
}


def advised(code: str, message: str) -> str:
    """What went wrong, and what to do about it where the code tells."""
    return f"{message}; {_ADVICE[code]}" if code in _ADVICE else message
