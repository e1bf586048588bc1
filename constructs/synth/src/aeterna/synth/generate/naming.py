"""How Terraform's names become Python's; a name that is published here is a name that somebody imports."""

from __future__ import annotations

import keyword

RESERVED = frozenset(
    {
        # Terraform's own arguments, which every resource takes through ``Meta``.
        "connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners",
        # Members of the engine's classes and of ``aeterna.synth.binding``.
        "add_move_target", "add_override", "arguments", "cdktf_stack", "fqn", "friendly_unique_id", "has_resource_move",
        "import_from", "interpolation_for_attribute", "meta_attributes", "move_from_id", "move_to", "move_to_id",
        "node", "override_logical_id", "reference", "replace", "reset_override_logical_id",
        "terraform_generator_metadata", "terraform_meta_arguments", "terraform_provider_source",
        "takes", "terraform_resource_type", "to_hcl_terraform", "to_metadata", "to_string", "to_terraform", "with_",
        # The generated constructor's own names.
        "alias", "id_", "meta", "scope", "self",
    }
)  # fmt: skip
"""Names that an attribute of a resource may not take; it gets an underscore at its end."""


def camel(name: str) -> str:
    """Return ``random_pet`` as ``RandomPet``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def member(name: str) -> str:
    """Return the name of an attribute or parameter of a generated class."""
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def plain_field(name: str) -> bool:
    """Whether a block's field can be written in a class body."""
    return name.isidentifier() and not keyword.iskeyword(name)


def class_name(kind: str, terraform_type: str) -> str:
    """Return ``RandomPet``, ``DataRandomPet``, ``EphemeralRandomPet`` or ``RandomProvider``."""
    return (
        {"data": "Data", "ephemeral": "Ephemeral", "resource": "", "provider": ""}[kind]
        + camel(terraform_type)
        + ("Provider" if kind == "provider" else "")
    )


def module_name(kind: str, terraform_type: str) -> str:
    """Return ``vpc``, ``data_vpc``, ``ephemeral_vpc`` or ``provider``: the provider's own name is in the package's."""
    if kind == "provider":
        return "provider"
    short = terraform_type.split("_", 1)[1]
    return short if kind == "resource" else f"{kind}_{short}"
