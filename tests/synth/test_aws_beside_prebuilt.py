"""The constructs stand beside prebuilt bindings that a customer already has, and exchange values with them."""

from __future__ import annotations

from cdktf_cdktf_provider_random.pet import Pet
from cdktf_cdktf_provider_random.provider import RandomProvider

from aeterna.aws.database import RdsPostgres
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.contracts.database import DatabaseSpec
from aeterna.synth.overrides import inside
from fixtures.customer_stack import CustomerStack


def test_a_construct_works_beside_a_prebuilt_binding_and_takes_its_values() -> None:
    """Customers have stacks of prebuilt bindings, and will not rewrite them to add one construct."""
    stack = CustomerStack()
    RandomProvider(stack, "random")
    suffix = Pet(stack, "Suffix", length=1)
    database = RdsPostgres(stack, "Threads", DatabaseSpec(name="threads"), network=stack.network, key=stack.key)
    inside(database, AwsDbInstance).replace("tags", {"Suffix": suffix.id})
    Pet(stack, "Follows", keepers={"endpoint": database.outputs.endpoint})

    document = stack.document()

    assert document.only("aws_db_instance")["tags"] == {"Suffix": "${random_pet.Suffix.id}"}
    assert "aws_db_instance." in document.resources("random_pet")["Follows"]["keepers"]["endpoint"]
    assert set(document.json["terraform"]["required_providers"]) == {"aws", "random"}
