"""The errors of Cronny. An error's docstring is its default message.

CronnyError
├── Invalid              what a tenant sent is wrong; carries every problem
├── NotFound             no such object for this tenant
├── Conflict             the object's state forbids it
│   └── LimitReached     the tenant has as much as it may have
├── Unauthorised         no valid key
├── Forbidden            a valid key that may not do this
├── TooMany              more than is allowed in a while
├── Unavailable          a server Cronny needs is away
│   └── Refused          it is there, and does not take this one message
├── SettingsError        the installation is configured wrongly
├── EgressDenied         the address is closed for this tenant
├── EngineError          the Docker Engine refuses or is away; in activities.stages.docker_engine
├── Unsealable           a secret cannot be opened; in cronny.secrets
└── StageError           a stage failed; in activities.stages.kind
"""

from collections.abc import Sequence

from dsl.problems import Problem


class CronnyError(Exception):
    """Something went wrong."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class Invalid(CronnyError):
    """What was sent has problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.where}: {problem.what}" for problem in problems))


class NotFound(CronnyError):
    """There is no such object."""


class Conflict(CronnyError):
    """The object's state does not allow this."""


class LimitReached(Conflict):
    """The tenant has as many as it may have."""


class Unauthorised(CronnyError):
    """The request carries no valid API key."""


class Forbidden(CronnyError):
    """This is not allowed to you."""


class TooMany(CronnyError):
    """There were too many requests of this kind lately."""


class Unavailable(CronnyError):
    """A server that Cronny needs does not answer."""


class Refused(Unavailable):
    """A server that Cronny needs does not take this message."""


class SettingsError(CronnyError):
    """The settings do not fit together."""


class EgressDenied(CronnyError):
    """This address is not open for outgoing connections."""
