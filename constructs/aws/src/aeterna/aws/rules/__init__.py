"""The rules that only AWS needs, and what AWS tells the neutral ones."""

from __future__ import annotations

from aeterna.aws.guarded import GUARDED
from aeterna.aws.rules import (
    bucket_acls,
    bucket_tls,
    cluster_access,
    confused_deputy,
    default_security_group,
    instance_metadata,
    issuer_audience,
    key_administrator,
    load_balancer_headers,
    star_resource,
)
from aeterna.aws.rules._names import NAMES
from aeterna.aws.rules._policies import grants, trusts
from aeterna.aws.rules._tags import TAGS
from aeterna.synth.rules.facts import Facts
from aeterna.synth.rules.packs import Pack

PACK = Pack(
    name="aws",
    rules=(
        bucket_acls.RULE,
        bucket_tls.RULE,
        cluster_access.RULE,
        confused_deputy.RULE,
        default_security_group.RULE,
        instance_metadata.RULE,
        issuer_audience.RULE,
        key_administrator.RULE,
        load_balancer_headers.RULE,
        star_resource.RULE,
    ),
    facts=Facts(
        providers=frozenset({"aws"}),
        guarded=GUARDED,
        names=NAMES,
        tags=TAGS,
        default_tags="default_tags.tags",
        static_keys={
            "aws_iam_access_key": "a role that is assumed",
            "aws_iam_user_login_profile": "an identity of the company, through IAM Identity Center",
            "aws_key_pair": "Session Manager",
        },
        credentials=frozenset({"access_key", "secret_key", "token"}),
        grants=grants,
        trusts=trusts,
    ),
)
