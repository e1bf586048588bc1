"""What a tenant holds and may hold, over HTTP, for its operators (the action ``threads.operate``)."""

# Without the postponed annotations that we have elsewhere: FastAPI and pydantic read these at run time.
from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from aeterna.threads.api.access import OperatorOfAll
from aeterna.threads.domain.usage import Account
from aeterna.threads.ports import Accounts


class QuotasBody(BaseModel):
    """The most that the tenant may hold, and how fast it may write in each process; null is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: int | None
    bytes: int | None
    open_tasks: int | None
    writes_per_second: int | None


class UsageBody(BaseModel):
    """What the tenant holds, as it was counted last."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: Annotated[int, Field(description="Conversations and tasks that have not expired.")]
    bytes: Annotated[int, Field(description="Of their rows and their large parts.")]
    open_tasks: int
    measured_at: Annotated[datetime | None, Field(description="Null where it was never counted.")]
    quotas: QuotasBody

    @classmethod
    def of(cls, account: Account) -> "UsageBody":
        """Return the body of an account."""
        usage, quotas = account.usage, account.quotas
        return cls(
            threads=usage.threads,
            bytes=usage.bytes,
            open_tasks=usage.open_tasks,
            measured_at=usage.measured_at,
            quotas=QuotasBody(
                threads=quotas.threads,
                bytes=quotas.bytes,
                open_tasks=quotas.open_tasks,
                writes_per_second=quotas.writes_per_second,
            ),
        )


def _accounts(request: Request) -> Accounts:
    return cast("Accounts", request.app.state.accounts)


router = APIRouter(prefix="/api/v1", tags=["usage"])


@router.get("/usage")
async def read_usage(caller: OperatorOfAll, accounts: Annotated[Accounts, Depends(_accounts)]) -> UsageBody:
    """Return what the tenant holds and may hold."""
    return UsageBody.of(await accounts.account(caller.tenant))
