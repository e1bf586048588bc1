"""Each rule of AWS finds what breaks it and lets pass what keeps it; so do the neutral ones in its forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.aws.rules import PACK
from fixtures.rule_documents import Case, Json, document, found

if TYPE_CHECKING:
    from collections.abc import Mapping

BUCKET = "${aws_s3_bucket.x.id}"
ROOT = {"AWS": "arn:aws:iam::123456789012:root"}
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/A"
SUBJECT, AUDIENCE = f"{ISSUER}:sub", f"{ISSUER}:aud"
POD = "system:serviceaccount:aeterna:threads"
MINE: Json = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def policy(*statements: Mapping[str, Json]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


def may(actions: Json, resources: Json = "*", **more: Json) -> dict[str, Json]:
    statement = {"Action": actions, "Resource": resources, **more}
    return document(aws_iam_role_policy={"name": "a", "role": "r", "policy": policy(statement)})


def trusting(principal: Json, **condition: Json) -> dict[str, Json]:
    statement = {"Principal": principal, "Action": "sts:AssumeRole", **({"Condition": condition} if condition else {})}
    return document(aws_iam_role={"name": "a", "assume_role_policy": policy(statement)})


def believing(**condition: Json) -> dict[str, Json]:
    return trusting({"Federated": "arn:aws:iam::1:oidc-provider/a"}, **condition)


def key(*statements: Mapping[str, Json], **more: Json) -> dict[str, Json]:
    return document(aws_kms_key={"policy": policy(*statements), **more})


def bucket(**beside: Mapping[str, Json]) -> dict[str, Json]:
    return document(aws_s3_bucket={"bucket": "acme"}, **beside)


def refusing(**condition: Json) -> dict[str, Json]:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": condition}
    return bucket(aws_s3_bucket_policy={"bucket": BUCKET, "policy": policy(statement)})


def owned(ownership: str) -> dict[str, Json]:
    return bucket(aws_s3_bucket_ownership_controls={"bucket": BUCKET, "rule": {"object_ownership": ownership}})


def metadata(**options: Json) -> dict[str, Json]:
    return document(aws_launch_template={"metadata_options": options})


def access(mode: str, *, creator: bool) -> dict[str, Json]:
    config = {"authentication_mode": mode, "bootstrap_cluster_creator_admin_permissions": creator}
    return document(aws_eks_cluster={"name": "a", "access_config": config})


def statement_of(**said: Json) -> dict[str, Json]:
    return {"data": {"aws_iam_policy_document": {"x": {"statement": [said]}}}}


PLAIN = {"Bool": {"aws:SecureTransport": "false"}}
ADMINISTER = {"Principal": ROOT, "Action": "kms:*", "Resource": "*"}
USE = {"Principal": {"AWS": "arn:aws:iam::1:role/a"}, "Action": "kms:Decrypt", "Resource": "*"}
GROUP = {"vpc_id": "${aws_vpc.x.id}"}

OWN = [
    Case(
        sentence="a token may be left out, so that any forged request reads the credentials",
        rule="aws-instance-metadata",
        wrong=metadata(http_tokens="optional", http_put_response_hop_limit=1),
        right=metadata(http_tokens="required", http_put_response_hop_limit=1),
    ),
    Case(
        sentence="two hops reach into the pods",
        rule="aws-instance-metadata",
        wrong=metadata(http_tokens="required", http_put_response_hop_limit=2),
        right=metadata(http_endpoint="disabled"),
    ),
    Case(
        sentence="only a role may use the key, and nobody may change its policy",
        rule="aws-key-administrator",
        wrong=key(USE),
        right=key(USE, ADMINISTER),
    ),
    Case(
        sentence="the administrator has to meet a condition that may never hold again",
        rule="aws-key-administrator",
        wrong=key({**ADMINISTER, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}),
        right=document(aws_kms_key={"enable_key_rotation": True}),
    ),
    Case(
        sentence="the check against locking oneself out is switched off",
        rule="aws-key-administrator",
        wrong=key(ADMINISTER, bypass_policy_lockout_safety_check=True),
        right=key(ADMINISTER, bypass_policy_lockout_safety_check=False),
    ),
    Case(
        sentence="a service takes the role for anybody's resource",
        rule="aws-confused-deputy",
        wrong=trusting({"Service": "vpc-flow-logs.amazonaws.com"}),
        right=trusting({"Service": "vpc-flow-logs.amazonaws.com"}, **MINE),
    ),
    Case(
        sentence="a topic takes messages from anybody's alarms",
        rule="aws-confused-deputy",
        wrong=document(
            aws_sns_topic_policy={
                "policy": policy(
                    {"Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": "*"}
                )
            }
        ),
        right=trusting({"Service": "ec2.amazonaws.com"}),
    ),
    Case(
        sentence="no policy refuses HTTP",
        rule="aws-bucket-tls",
        wrong=bucket(),
        right=refusing(**PLAIN),
    ),
    Case(
        sentence="HTTP is refused to some only",
        rule="aws-bucket-tls",
        wrong=refusing(**PLAIN, StringEquals={"aws:PrincipalAccount": "1"}),
        right=bucket(aws_s3_bucket_policy={"bucket": BUCKET, "policy": "${data.aws_iam_policy_document.x.json}"}),
    ),
    Case(
        sentence="objects belong to who wrote them",
        rule="aws-bucket-acls",
        wrong=owned("ObjectWriter"),
        right=owned("BucketOwnerEnforced"),
    ),
    Case(
        sentence="an access list publishes a bucket",
        rule="aws-bucket-acls",
        wrong=document(aws_s3_bucket_acl={"bucket": "acme", "acl": "public-read"}),
        right=owned("BucketOwnerEnforced"),
    ),
    Case(
        sentence="access is kept in a map inside the cluster",
        rule="aws-cluster-access",
        wrong=access("CONFIG_MAP", creator=False),
        right=access("API", creator=False),
    ),
    Case(
        sentence="who made the cluster stays administrator",
        rule="aws-cluster-access",
        wrong=access("API", creator=True),
        right=access("API", creator=False),
    ),
    Case(
        sentence="tokens for another service are believed",
        rule="aws-issuer-audience",
        wrong=document(aws_iam_openid_connect_provider={"url": "https://a", "client_id_list": ["vault"]}),
        right=document(aws_iam_openid_connect_provider={"url": "https://a", "client_id_list": ["sts.amazonaws.com"]}),
    ),
    Case(
        sentence="headers that smuggle requests pass",
        rule="aws-load-balancer-headers",
        wrong=document(aws_lb={"name": "a"}),
        right=document(aws_lb={"name": "a", "drop_invalid_header_fields": True}),
    ),
    Case(
        sentence="every queue may be emptied",
        rule="aws-star-resource",
        wrong=may(["sqs:PurgeQueue", "sqs:GetQueueUrl"]),
        right=may("sqs:GetQueueUrl"),
    ),
    Case(
        sentence="any volume may be changed, unless it has to carry a tag",
        rule="aws-star-resource",
        wrong=may("ec2:DeleteVolume"),
        right=may("ec2:DeleteVolume", Condition={"StringEquals": {"ec2:ResourceTag/cluster": "a"}}),
    ),
    Case(
        sentence="the default group keeps AWS's rules",
        rule="aws-default-security-group",
        wrong=document(aws_vpc={"cidr_block": "10.0.0.0/16"}),
        right=document(aws_vpc={"cidr_block": "10.0.0.0/16"}, aws_default_security_group=GROUP),
    ),
    Case(
        sentence="the default group lets something through",
        rule="aws-default-security-group",
        wrong=document(
            aws_vpc={"cidr_block": "10.0.0.0/16"},
            aws_default_security_group={**GROUP, "ingress": [{"self": True, "protocol": "-1"}]},
        ),
        right=document(aws_vpc={"cidr_block": "10.0.0.0/16"}, aws_default_security_group=GROUP),
    ),
]

IN_THE_FORM_OF_AWS = [
    Case(sentence="star on star", rule="grant-everything", wrong=may("*"), right=may("s3:GetObject")),
    Case(sentence="a whole service on star", rule="grant-everything", wrong=may(["s3:*"]), right=may("s3:*", "arn:a")),
    Case(
        sentence="everything but one thing",
        rule="grant-everything",
        wrong=document(
            aws_iam_policy={"policy": policy({"NotAction": "iam:*", "Resource": "*"})},
        ),
        right=document(aws_iam_policy={"policy": policy({"Effect": "Deny", "Action": "*", "Resource": "*"})}),
    ),
    Case(
        sentence="AWS's own policy for administrators",
        rule="grant-everything",
        wrong=document(aws_iam_role_policy_attachment={"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        right=document(aws_iam_role_policy_attachment={"policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    ),
    Case(
        sentence="star on star in a data source",
        rule="grant-everything",
        wrong=statement_of(actions=["*"], resources=["*"]),
        right=statement_of(actions=["*"], resources=["*"], effect="Deny"),
    ),
    Case(
        sentence="a key's policy, in which every resource is the key itself",
        rule="grant-everything",
        wrong=may("kms:*"),
        right=key(ADMINISTER),
    ),
    Case(
        sentence="a bucket for everybody",
        rule="grant-everyone",
        wrong=bucket(
            aws_s3_bucket_policy={
                "bucket": BUCKET,
                "policy": policy({"Principal": "*", "Action": "s3:GetObject", "Resource": "*"}),
            }
        ),
        right=refusing(**PLAIN),
    ),
    Case(
        sentence="everybody by the longer name",
        rule="grant-everyone",
        wrong=key({"Principal": {"AWS": ["*"]}, "Action": "kms:Decrypt", "Resource": "*"}),
        right=key(
            {
                "Principal": {"AWS": "*"},
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": {"StringEquals": {"a": "b"}},
            }
        ),
    ),
    Case(
        sentence="any role may be handed to a service",
        rule="grant-escalates",
        wrong=may("iam:PassRole"),
        right=may("iam:PassRole", "arn:aws:iam::1:role/a"),
    ),
    Case(
        sentence="any pod of the issuer takes the role",
        rule="trust-exact",
        wrong=believing(StringEquals={AUDIENCE: "sts.amazonaws.com"}),
        right=believing(StringEquals={AUDIENCE: "sts.amazonaws.com", SUBJECT: POD}),
    ),
    Case(
        sentence="every service account of a namespace takes the role",
        rule="trust-exact",
        wrong=believing(StringLike={SUBJECT: "system:serviceaccount:aeterna:*"}, StringEquals={AUDIENCE: "a"}),
        right=believing(StringLike={SUBJECT: POD}, StringEquals={AUDIENCE: "sts.amazonaws.com"}),
    ),
    Case(
        sentence="tokens for others take the role",
        rule="trust-exact",
        wrong=believing(StringEquals={SUBJECT: POD}),
        right=believing(StringEquals={SUBJECT: POD, AUDIENCE: "sts.amazonaws.com"}),
    ),
    Case(
        sentence="any association of a pod takes the role",
        rule="trust-exact",
        wrong=trusting({"Service": "pods.eks.amazonaws.com"}, **MINE),
        right=trusting(
            {"Service": "pods.eks.amazonaws.com"},
            StringEquals={"aws:RequestTag/kubernetes-service-account": "threads", "aws:SourceAccount": "1"},
        ),
    ),
    Case(
        sentence="an access key",
        rule="static-key",
        wrong=document(aws_iam_access_key={"user": "a"}),
        right=trusting({"Service": "ec2.amazonaws.com"}),
    ),
    Case(
        sentence="a key of AWS's own",
        rule="customer-key-store",
        wrong=document(aws_sqs_queue={"kms_master_key_id": "alias/aws/sqs"}),
        right=document(aws_sqs_queue={"kms_master_key_id": "alias/acme/queues"}),
    ),
    Case(
        sentence="a bucket that is encrypted by a key of S3's",
        rule="customer-key-store",
        wrong=bucket(),
        right=bucket(
            aws_s3_bucket_server_side_encryption_configuration={
                "bucket": BUCKET,
                "rule": [
                    {
                        "apply_server_side_encryption_by_default": [
                            {"sse_algorithm": "aws:kms", "kms_master_key_id": "${aws_kms_key.k.arn}"}
                        ]
                    }
                ],
            }
        ),
    ),
    Case(
        sentence="a copy that has no key of its own to name",
        rule="customer-key-store",
        wrong=document(aws_db_instance={"instance_class": "db.m7g.large"}),
        right=document(aws_db_instance={"instance_class": "db.m7g.large", "replicate_source_db": "arn:aws:rds:…:db:a"}),
    ),
    Case(
        sentence="a listener that answers in the clear",
        rule="tls-required",
        wrong=document(aws_lb_listener={"protocol": "HTTP", "default_action": [{"type": "forward"}]}),
        right=document(
            aws_lb_listener={
                "protocol": "HTTP",
                "default_action": [{"type": "redirect", "redirect": [{"protocol": "HTTPS"}]}],
            }
        ),
    ),
]


@pytest.mark.parametrize("case", [*OWN, *IN_THE_FORM_OF_AWS], ids=str)
def test_what_breaks_a_rule_is_found(case: Case) -> None:
    assert found(case.wrong, case.rule)


@pytest.mark.parametrize("case", [*OWN, *IN_THE_FORM_OF_AWS], ids=str)
def test_what_keeps_a_rule_is_not_found(case: Case) -> None:
    assert found(case.right, case.rule) == []


def test_every_rule_of_aws_is_tried_here() -> None:
    assert {case.rule for case in OWN} == {rule.id for rule in PACK.rules}


def test_a_policy_with_references_in_it_is_read() -> None:
    """A reference with an index has quotes of its own in it, which are no JSON."""
    text = policy({"Action": "*", "Resource": "*"}, {"Action": "s3:GetObject", "Resource": "@"})
    indexed = text.replace("@", '${aws_s3_bucket.x["a"].arn}/*')

    assert found(document(aws_iam_policy={"policy": indexed}), "grant-everything")


def test_a_policy_that_is_known_only_at_apply_is_left_alone() -> None:
    unread = document(
        aws_iam_policy={"policy": "${data.aws_iam_policy_document.x.json}"}, aws_kms_key={"policy": "${a}"}
    )

    assert found(unread, "grant-everything") == []
    assert found(unread, "aws-key-administrator") == []
