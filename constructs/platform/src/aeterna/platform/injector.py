"""The injector: the webhook that puts sidecars into agents' pods, what it may do, and which pods are shown to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs import Construct

from aeterna.contracts.injection.names import INJECTION, WEBHOOK
from aeterna.contracts.injection.rights import in_own_namespace, in_the_cluster
from aeterna.platform.environment import ANYWHERE, listening, prefixed
from aeterna.platform.l1.kubernetes.config_map_v1 import KubernetesConfigMapV1
from aeterna.platform.l1.kubernetes.mutating_webhook_configuration_v1 import KubernetesMutatingWebhookConfigurationV1
from aeterna.platform.metadata import metadata
from aeterna.platform.names import (
    BUNDLE_SIGNING,
    INJECTION_CONFIG,
    INJECTOR,
    INJECTOR_HEALTH_PORT,
    INSTALLATION_FILE,
    PORTS,
    WORKLOADS_FILE,
    labels,
)
from aeterna.platform.priorities import ADMISSION
from aeterna.platform.program import Probed, Program
from aeterna.platform.rights import Rights
from aeterna.platform.serving import Part, Serving
from aeterna.platform.volumes import api_access, config, scratch, secret
from aeterna.synth.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.platform.l1.kubernetes.mutating_webhook_configuration_v1 import (
        KubernetesMutatingWebhookConfigurationV1WebhookBlock as Webhook,
    )
    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

FOLDER: Final = "/etc/aeterna/injection"
KEYS: Final = "/etc/aeterna/bundle-keys"
KEYS_FILE: Final = "bundle-keys.pem"
"""The public half of what signs policies, and never the other one."""
PREFIX: Final = "AETERNA_INJECTOR_"
PATH: Final = "/inject"
NEVER: Final = ("kube-system", "kube-public", "kube-node-lease")
"""Namespaces of which no pod is shown, whatever their labels say: the cluster has to start without us."""


class Injector(Construct):
    """The injector and its registration.

    It is registered only once it answers, so that the first apply of an installation does not shut its own door.
    """

    def __init__(self, scope: Construct, id_: str, site: Site, *, after: Sequence[ITerraformDependable] = ()) -> None:
        super().__init__(scope, id_)
        definition = KubernetesConfigMapV1(
            self,
            "Definition",
            metadata=metadata(INJECTION_CONFIG, "configuration", site),
            data={
                INSTALLATION_FILE: site.installation().document(),
                WORKLOADS_FILE: site.spec.workloads().document(),
            },
            depends_on=after,
        )
        rights = Rights(
            self, "Rights", site, account=INJECTOR, here=in_own_namespace(), everywhere=in_the_cluster(), after=after
        )
        part = Part(name=INJECTOR, programs=(_program(site),), priority=ADMISSION, component="webhook", decides=False)
        self.serving = Serving(self, "Serving", part, site=site, after=[*after, definition, *rights.ready])
        self.ready: tuple[ITerraformDependable, ...] = (self.serving.deployment, self.serving.service)
        KubernetesMutatingWebhookConfigurationV1(
            self,
            "Registration",
            metadata={"name": WEBHOOK, "labels": labels(INJECTOR, "webhook", site.spec)},
            webhook=[_webhook(site)],
            depends_on=self.ready,
            # The injector is its own authority: it writes here by whom it is to be believed, and rotates that.
            lifecycle=Lifecycle(ignore_changes=["webhook[0].client_config[0].ca_bundle"]),
        )


def _webhook(site: Site) -> Webhook:
    """Return which pods are shown to it, and what becomes of them when it does not answer."""
    return {
        "name": f"inject.{INJECTION.partition('/')[0]}",
        "admission_review_versions": ["v1"],
        "client_config": {
            "service": {
                "name": INJECTOR,
                "namespace": site.namespace,
                "path": PATH,
                "port": PORTS[INJECTOR],
            }
        },
        "failure_policy": site.spec.on_failure,
        "match_policy": "Equivalent",
        "reinvocation_policy": "IfNeeded",
        "side_effects": "None",
        "timeout_seconds": site.sizing.webhook_seconds,
        "namespace_selector": {
            "match_labels": {INJECTION: "enabled"},
            "match_expressions": [
                {
                    "key": "kubernetes.io/metadata.name",
                    "operator": "NotIn",
                    "values": [*NEVER, site.namespace],
                }
            ],
        },
        "rule": [
            {
                "api_groups": [""],
                "api_versions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["pods"],
                "scope": "Namespaced",
            }
        ],
    }


def _program(site: Site) -> Program:
    return Program(
        name=INJECTOR,
        image=site.image(INJECTOR),
        resources=site.scale(INJECTOR).resources,
        settings=prefixed(
            PREFIX,
            {
                **listening(site),
                "PORT": str(PORTS[INJECTOR]),
                "INSTALLATION": f"{FOLDER}/{INSTALLATION_FILE}",
                "WORKLOADS": f"{FOLDER}/{WORKLOADS_FILE}",
                "HEALTH_HOST": ANYWHERE,
                "HEALTH_PORT": str(INJECTOR_HEALTH_PORT),
                "BUNDLE_KEYS": f"{KEYS}/{KEYS_FILE}",
            },
        ),
        fields={f"{PREFIX}REPLICA": "metadata.name"},
        mounts=(
            scratch("tmp", "/tmp", "64Mi"),  # noqa: S108 - a volume of the pod's own
            config("definition", FOLDER, INJECTION_CONFIG),
            secret("bundle-keys", KEYS, BUNDLE_SIGNING, only=(KEYS_FILE,)),
            api_access(),
        ),
        ports={"https": PORTS[INJECTOR], "health": INJECTOR_HEALTH_PORT},
        probed=Probed(port=INJECTOR_HEALTH_PORT, scheme="HTTP"),
    )
