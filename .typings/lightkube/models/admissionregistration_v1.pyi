from collections.abc import Mapping, Sequence

class LabelSelectorRequirement:
    key: str
    operator: str
    values: Sequence[str] | None

class LabelSelector:
    matchLabels: Mapping[str, str] | None  # noqa: N815 - Kubernetes' name
    matchExpressions: Sequence[LabelSelectorRequirement] | None  # noqa: N815 - Kubernetes' name

class WebhookClientConfig:
    caBundle: str | None  # noqa: N815 - Kubernetes' name

class MutatingWebhook:
    name: str
    clientConfig: WebhookClientConfig  # noqa: N815 - Kubernetes' name
    namespaceSelector: LabelSelector | None  # noqa: N815 - Kubernetes' name
