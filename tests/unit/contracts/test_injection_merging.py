"""Whatever a pod's author wrote stays, what is ours is there once, and a second time changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aeterna.contracts.injection import Wish, merged, names, parts
from aeterna.contracts.injection.errors import CollisionError
from fixtures.pods_for_injection import INSTALLATION, holds, installation, pod

if TYPE_CHECKING:
    from aeterna.contracts.injection import PodParts

EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
LABEL = "azure.workload.identity/use"
WISHES = st.sampled_from(
    [
        Wish(policy=True),
        Wish(secrets=True, secrets_config="app"),
        Wish(policy=True, secrets=True, secrets_config="app", cache_ttl=0),
    ]
)
TOLD = st.sampled_from([INSTALLATION, installation(opal_url="http://opal:7002", pod_labels={LABEL: "true"})])
NAMES = st.sampled_from(["app", "proxy", "migrate", "aeterna-app", "aeterna-policy", "aeterna-sockets"])
PATHS = st.sampled_from(
    ["/", "/data", "/run", "/run/aeterna-app", "/run/aeterna", "/var/run/aeterna/x", "/etc/aeterna"]
)
PORTS = st.fixed_dictionaries(
    {"containerPort": st.sampled_from([80, 8181, 9180, 9181])}, optional={"protocol": st.just("UDP")}
)
ENV = st.fixed_dictionaries(
    {"name": st.sampled_from(["A", "B", "AETERNA_GRAPH_URL", "AETERNA_POLICY_URL"]), "value": st.just("x")}
)


def name_of(part: Any) -> str:  # noqa: ANN401 - drawn
    """Return the name of a part."""
    name: str = part["name"]
    return name


CONTAINERS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "env": st.lists(ENV, unique_by=name_of, max_size=3),
        "volumeMounts": st.lists(
            st.fixed_dictionaries({"name": NAMES, "mountPath": PATHS}),
            unique_by=lambda each: each["mountPath"],
            max_size=3,
        ),
        "ports": st.lists(PORTS, max_size=2),
        "securityContext": st.just({"runAsUser": 0}),
        "restartPolicy": st.just("Always"),
    },
)
SPECS = st.fixed_dictionaries(
    {"containers": st.lists(CONTAINERS, min_size=1, max_size=3, unique_by=name_of)},
    optional={
        "initContainers": st.lists(CONTAINERS, max_size=3, unique_by=name_of),
        "volumes": st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=3, unique_by=name_of),
        "securityContext": st.sampled_from([{"fsGroup": 1}, {"supplementalGroups": [1, 65532]}]),
    },
)


def injected(spec: dict[str, Any], added: PodParts) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a pod and the same pod injected; one that collides is no example."""
    plain = {**pod({}), "spec": spec}
    try:
        return plain, merged(plain, added)
    except CollisionError:
        assume(condition=False)
        raise


@EXAMPLES
@given(spec=SPECS, wished=WISHES, told=TOLD)
def test_what_the_author_wrote_stays(spec: dict[str, Any], wished: Wish, told: Any) -> None:  # noqa: ANN401 - drawn
    plain, after = injected(spec, parts(wished, told, tenant="acme"))

    assert holds(after, plain)


@EXAMPLES
@given(spec=SPECS, wished=WISHES, told=TOLD)
def test_merging_again_changes_nothing(spec: dict[str, Any], wished: Wish, told: Any) -> None:  # noqa: ANN401 - drawn
    added = parts(wished, told, tenant="acme")
    _, after = injected(spec, added)

    assert merged(after, added) == after


@EXAMPLES
@given(spec=SPECS, wished=WISHES, told=TOLD)
def test_nothing_is_there_twice(spec: dict[str, Any], wished: Wish, told: Any) -> None:  # noqa: ANN401 - drawn
    """The API server refuses a pod with two volumes or variables of a name, or two mounts at a path."""
    _, after = injected(spec, parts(wished, told, tenant="acme"))

    lists = [([each["name"] for each in after["spec"]["volumes"]])]
    for each in (*after["spec"]["initContainers"], *after["spec"]["containers"]):
        lists += [[one["name"] for one in each["env"]], [one["mountPath"] for one in each["volumeMounts"]]]
    assert [each for each in lists if len(each) != len(set(each))] == []


@EXAMPLES
@given(spec=SPECS, before=WISHES, after=WISHES, told=TOLD)
def test_another_wish_leaves_nothing_of_the_one_before_but_variables(
    spec: dict[str, Any],
    before: Wish,
    after: Wish,
    told: Any,  # noqa: ANN401 - drawn
) -> None:
    """A pod is copied, and its annotations are changed."""
    plain, straight = injected(spec, parts(after, told, tenant="acme"))
    _, once = injected(plain["spec"], parts(before, told, tenant="acme"))
    changed = merged(once, parts(after, told, tenant="acme"))

    def without_env(found: dict[str, Any]) -> list[Any]:
        inside = found["spec"]
        listed = [{**each, "env": ()} for each in (*inside["initContainers"], *inside["containers"])]
        volumes = {each["name"]: each for each in inside["volumes"]}
        mounts: list[Any] = [{each["mountPath"]: each for each in one.pop("volumeMounts")} for one in listed]
        return [listed, volumes, mounts, found["metadata"]]

    assert without_env(changed) == without_env(straight)


def test_a_label_that_the_author_set_stays() -> None:
    told = installation(pod_labels={LABEL: "true"})
    plain = pod({})
    plain["metadata"]["labels"] = {LABEL: "false", names.INJECTED: "false"}

    after: dict[str, Any] = merged(plain, parts(Wish(policy=True), told, tenant="acme"))

    assert after["metadata"]["labels"] == {LABEL: "false", names.INJECTED: "true"}
