"""The bodies of push configurations and dead letters, as JSON has them."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from aeterna.threads.domain.conversation import ID_PATTERN, ThreadId
from aeterna.threads.domain.push import (
    MAX_SCHEME,
    MAX_SECRET,
    ConfigId,
    DeadLetter,
    LetterChoice,
    PushConfig,
    PushSecrets,
    Reason,
)
from aeterna.threads.domain.push_url import MAX_URL

_SCHEME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"

Secret = Annotated[SecretStr, Field(min_length=1, max_length=MAX_SECRET)]
Identifier = Annotated[str, Field(pattern=ID_PATTERN)]


class _Body(BaseModel):
    # Input is never quoted in an error: it may hold a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PushConfigInput(_Body):
    """A receiver: ``token`` is sent as ``X-A2A-Notification-Token``, scheme and credentials as ``Authorization``."""

    owner: str = Field(min_length=1, max_length=255)
    url: str = Field(min_length=1, max_length=MAX_URL)
    token: Secret | None = None
    scheme: str | None = Field(default=None, min_length=1, max_length=MAX_SCHEME, pattern=_SCHEME)
    credentials: Secret | None = None

    @model_validator(mode="after")
    def _sendable(self) -> Self:
        for secret in (self.token, self.credentials):
            if secret is not None and not _visible(secret.get_secret_value()):
                raise ValueError("a token and credentials are visible ASCII, with spaces only inside")
        if self.credentials is not None and self.scheme is None:
            raise ValueError("credentials need a scheme")
        return self

    def secrets(self) -> PushSecrets:
        """Return what is to be sealed."""
        return PushSecrets(
            token=None if self.token is None else self.token.get_secret_value(),
            credentials=None if self.credentials is None else self.credentials.get_secret_value(),
        )


class PushConfigBody(_Body):
    """A receiver as it is shown: its secrets are never given back."""

    config_id: str
    url: str
    scheme: str | None
    created_at: datetime

    @classmethod
    def of(cls, config: PushConfig) -> Self:
        """Return the configuration as JSON has it."""
        return cls(config_id=config.config_id, url=config.url, scheme=config.scheme, created_at=config.created_at)


class PushConfigsBody(_Body):
    """The receivers of a task."""

    configs: list[PushConfigBody]


class LetterChoiceInput(_Body):
    """Which dead letters: all of the tenant's, those of a task, or those of one of its configurations."""

    task_id: Identifier | None = None
    config_id: Identifier | None = None

    @model_validator(mode="after")
    def _within_a_task(self) -> Self:
        if self.config_id is not None and self.task_id is None:
            raise ValueError("a config_id needs the task_id that it is of")
        return self

    def choice(self) -> LetterChoice:
        """Return the choice."""
        return LetterChoice(
            task_id=None if self.task_id is None else ThreadId(self.task_id),
            config_id=None if self.config_id is None else ConfigId(self.config_id),
        )


class DeadLetterBody(_Body):
    """A notification that was given up."""

    letter_id: str
    task_id: str
    config_id: str
    url: str
    seq: int
    reason: Reason
    error: str
    attempts: int
    created_at: datetime
    died_at: datetime

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        """Return the dead letter as JSON has it."""
        return cls(
            letter_id=str(letter.letter_id),
            task_id=letter.task_id,
            config_id=letter.config_id,
            url=letter.url,
            seq=letter.seq,
            reason=letter.reason,
            error=letter.error,
            attempts=letter.attempts,
            created_at=letter.created_at,
            died_at=letter.died_at,
        )


class DeadLettersBody(_Body):
    """A page of dead letters, newest first, and the cursor of the next one."""

    letters: list[DeadLetterBody]
    next_cursor: str | None


class LettersChangedBody(_Body):
    """How many dead letters were sent again or discarded."""

    letters: int


def _visible(text: str) -> bool:
    """Return whether the text may stand in a header, which it then can neither end nor bend."""
    return all(" " <= sign <= "~" for sign in text) and text.strip() == text
