from collections.abc import Sequence

from lightkube.models.admissionregistration_v1 import MutatingWebhook
from lightkube.resources import Resource

class MutatingWebhookConfiguration(Resource):
    webhooks: Sequence[MutatingWebhook] | None
