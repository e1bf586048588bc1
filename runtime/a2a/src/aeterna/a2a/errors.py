"""What the kit itself refuses or cannot do; what a caller of A2A sees are the protocol's own errors.

AeternaError
└── AgentError
    ├── StoreRefusedError          the thread store refused a call; ``problem`` is the code that it gave
    ├── StoreAwayError             the thread store cannot be reached for longer than may be waited
    ├── LeaseGoneError             another process has the task by now, or it was cancelled: stop at once
    ├── StepUncertainError         a side effect was cut off in the middle, and nobody said what to do then
    ├── ForeignTenantError         a caller of another tenant than the agent's, or a request that names one
    ├── GoingAwayError             this process is about to end; another one goes on
    ├── NotificationInvalidError   a push notification that the thread store did not sign like this
    ├── TokenUnreadableError       the file of this process's own token has none
    └── StillRunningError          the task goes on, but for longer than one request may wait
"""

from __future__ import annotations

from typing import ClassVar

from aeterna.contracts.errors import AeternaError


class AgentError(AeternaError):
    """Something the kit refuses or cannot do."""

    code: ClassVar[str] = "a2a.error"


class StoreRefusedError(AgentError):
    """The thread store refused a call."""

    code = "a2a.store_refused"

    def __init__(self, problem: str, detail: str) -> None:
        super().__init__(f"the thread store refused ({problem}): {detail}")
        self.problem = problem
        self.detail = detail
        self.facts = {"problem": problem}


class StoreAwayError(AgentError):
    """The thread store cannot be reached, or is busy for longer than may be waited."""

    code = "a2a.store_away"

    def __init__(self, detail: str) -> None:
        super().__init__(f"the thread store cannot be reached: {detail}")


class LeaseGoneError(AgentError):
    """Another process runs the task by now, or it was cancelled."""

    code = "a2a.lease_gone"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id!r:.300} is run by another process by now, or was cancelled")
        self.task_id = task_id


class StepUncertainError(AgentError):
    """A side effect was begun and cut off; whether it was done, only the author's code can find out."""

    code = "a2a.step_uncertain"

    def __init__(self, key: str) -> None:
        super().__init__(f"step {key!r:.300} was cut off in the middle; say with `on_doubt` what to do then")
        self.key = key


class ForeignTenantError(AgentError):
    """The caller, or what the caller asks for, belongs to another tenant than the agent."""

    code = "a2a.foreign_tenant"

    def __init__(self) -> None:
        super().__init__("this agent serves its own tenant only")


class GoingAwayError(AgentError):
    """This process is about to end; another one goes on with the task."""

    code = "a2a.going_away"

    def __init__(self) -> None:
        super().__init__("this process is about to end; repeat with the same ids, and another one answers")


class StillRunningError(AgentError):
    """The task goes on, but for longer than one request may wait for its end."""

    code = "a2a.still_running"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id!r:.300} is still running; subscribe to it, or read it later")
        self.task_id = task_id
        self.facts = {"taskId": task_id}


class NotificationInvalidError(AgentError):
    """A push notification that the thread store did not sign, not for this receiver, not now, or not with this body."""

    code = "a2a.notification_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the notification is not to be believed: {reason}")
        self.reason = reason


class TokenUnreadableError(AgentError):
    """The file of the process's own token has none, or one that names no tenant and no subject."""

    code = "a2a.token_unreadable"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} holds no workload token")
        self.path = path
