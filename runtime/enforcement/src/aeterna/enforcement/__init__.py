"""The policy enforcement point: asks the policy sidecar on behalf of a service, and fails closed."""

from aeterna.enforcement.asgi import Enforcement
from aeterna.enforcement.blocking import BlockingDecisionClient
from aeterna.enforcement.client import ClientOptions, DecisionClient
from aeterna.enforcement.decision import Decision
from aeterna.enforcement.errors import DecisionUnavailableError, Doubt, EnforcementError
from aeterna.enforcement.question import Entity, Question

__all__ = [
    "BlockingDecisionClient",
    "ClientOptions",
    "Decision",
    "DecisionClient",
    "DecisionUnavailableError",
    "Doubt",
    "Enforcement",
    "EnforcementError",
    "Entity",
    "Question",
]
