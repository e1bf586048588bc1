"""Policies, entities and questions of a chosen size, in Cedar and, saying the same, in Rego.

Agents of teams work on documents in folders. A policy is one of four kinds, as they are met in practice: a role may do
an action on a type, a team may do an action in a folder, one agent may do something with one document, and one forbid
for all keeps tenants apart. Questions name stored agents and documents; a part of them is allowed.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

ACTIONS = 20
TYPES = ("Document", "Dataset", "Model", "Ticket", "Secret")
TENANTS = ("acme", "globex")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One permit: who (a role, a team or an agent), which action, and on what (a type, a folder or one thing).

    It holds for things up to a ``level``.
    """

    name: str
    who: tuple[str, str]
    action: str
    type: str
    inside: tuple[str, str] | None
    level: int


class Corpus:
    """So many policies over so many entities; the same sizes make the same corpus."""

    def __init__(self, *, policies: int, entities: int) -> None:
        self._random = random.Random(policies * 1_000_003 + entities)  # noqa: S311 - a corpus, and no secret
        groups = max(10, policies // 10)
        self.roles = [f"role-{number}" for number in range(groups)]
        self.teams = [f"team-{number}" for number in range(groups)]
        self.folders = [f"folder-{number}" for number in range(groups)]
        rest = max(40, entities - 3 * groups)
        self.roles_of = {f"agent-{number}": self._random.sample(self.roles, 3) for number in range(rest // 2)}
        self.agents = {name: self._agent(roles) for name, roles in self.roles_of.items()}
        self.things = {f"thing-{number}": self._thing() for number in range(rest - rest // 2)}
        self.grants = [self._grant(number) for number in range(policies - 1)]

    def _agent(self, roles: list[str]) -> dict[str, object]:
        chosen = self._random
        return {
            "tenant": chosen.choice(TENANTS),
            "level": chosen.randrange(5),
            "roles": roles,
            "team": chosen.choice(self.teams),
        }

    def _thing(self) -> dict[str, object]:
        chosen = self._random
        return {
            "type": chosen.choice(TYPES),
            "tenant": chosen.choice(TENANTS),
            "level": chosen.randrange(5),
            "folder": chosen.choice(self.folders),
        }

    def _grant(self, number: int) -> Grant:
        chosen = self._random
        action, level = f"act-{chosen.randrange(ACTIONS)}", chosen.randrange(1, 5)
        name = f"grant-{number}"
        kind = number % 3
        if kind == 0:
            who, type_, inside = ("Role", chosen.choice(self.roles)), chosen.choice(TYPES), None
        elif kind == 1:
            who, type_ = ("Team", chosen.choice(self.teams)), chosen.choice(TYPES)
            inside = ("Folder", chosen.choice(self.folders))
        else:
            thing = chosen.choice(list(self.things))
            who, type_ = ("Agent", chosen.choice(list(self.agents))), str(self.things[thing]["type"])
            inside = (type_, thing)
        return Grant(name=name, who=who, action=action, type=type_, inside=inside, level=level)

    def files(self) -> dict[str, str]:
        """Return the bundle's files."""
        return {"corpus.cedarschema": _SCHEMA, "corpus.cedar": self._cedar(), "entities.json": self._entities()}

    def questions(self, count: int) -> list[dict[str, object]]:
        """Return AuthZEN questions; every second one is made of a grant, so that something may be allowed."""
        chosen = random.Random(7)  # noqa: S311 - as above
        agents, things = self._agents_by_group(), self._things_by_group()
        asked: list[dict[str, object]] = []
        while len(asked) < count:
            agent, thing = chosen.choice(list(self.agents)), chosen.choice(list(self.things))
            action = f"act-{chosen.randrange(ACTIONS)}"
            if len(asked) % 2:
                grant = chosen.choice(self.grants)
                action = grant.action
                agent = chosen.choice(agents.get(grant.who, [agent]))
                place = (grant.type, grant.inside[1] if grant.inside else "", self.agents[agent]["tenant"])
                thing = chosen.choice(things.get(place, [thing]))
            asked.append(
                {
                    "subject": {"type": "Agent", "id": agent},
                    "action": {"name": action},
                    "resource": {"type": str(self.things[thing]["type"]), "id": thing},
                }
            )
        return asked

    def _agents_by_group(self) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for agent, facts in self.agents.items():
            groups = [
                ("Agent", agent),
                ("Team", str(facts["team"])),
                *(("Role", role) for role in self.roles_of[agent]),
            ]
            for group in groups:
                found.setdefault(group, []).append(agent)
        return found

    def _things_by_group(self) -> dict[tuple[object, object, object], list[str]]:
        found: dict[tuple[object, object, object], list[str]] = {}
        for thing, facts in self.things.items():
            for inside in ("", facts["folder"], thing):
                found.setdefault((facts["type"], inside, facts["tenant"]), []).append(thing)
        return found

    def _cedar(self) -> str:
        written = [
            '@id("tenants-apart")\nforbid (principal, action, resource) unless { principal.tenant == resource.tenant };'
        ]
        for grant in self.grants:
            who = f'principal {"==" if grant.who[0] == "Agent" else "in"} Aeterna::{grant.who[0]}::"{grant.who[1]}"'
            if grant.inside is None:
                where = f"resource is Aeterna::{grant.type}"
            elif grant.inside[0] == "Folder":
                where = f'resource is Aeterna::{grant.type} in Aeterna::Folder::"{grant.inside[1]}"'
            else:
                where = f'resource == Aeterna::{grant.type}::"{grant.inside[1]}"'
            written.append(
                f'@id("{grant.name}")\npermit ({who}, action == Aeterna::Action::"{grant.action}", {where})\n'
                f"when {{ resource.level <= {grant.level} }};"
            )
        return "\n\n".join(written)

    def _entities(self) -> str:
        stored: list[object] = []
        for kind, names in (("Role", self.roles), ("Team", self.teams), ("Folder", self.folders)):
            stored += [{"uid": {"type": f"Aeterna::{kind}", "id": name}, "attrs": {}, "parents": []} for name in names]
        for name, agent in self.agents.items():
            parents: list[object] = [{"type": "Aeterna::Role", "id": role} for role in self.roles_of[name]]
            stored.append(
                {
                    "uid": {"type": "Aeterna::Agent", "id": name},
                    "attrs": {"tenant": agent["tenant"], "level": agent["level"]},
                    "parents": [*parents, {"type": "Aeterna::Team", "id": agent["team"]}],
                }
            )
        for name, thing in self.things.items():
            stored.append(
                {
                    "uid": {"type": f"Aeterna::{thing['type']}", "id": name},
                    "attrs": {"tenant": thing["tenant"], "level": thing["level"]},
                    "parents": [{"type": "Aeterna::Folder", "id": thing["folder"]}],
                }
            )
        return json.dumps(stored)

    def rego(self) -> str:
        """Return the same in Rego, written for its rule index: equalities on the input first."""
        rules = [_REGO]
        for grant in self.grants:
            lines = [f'input.action.name == "{grant.action}"', f'input.resource.type == "{grant.type}"']
            if grant.who[0] == "Agent":
                lines.append(f'input.subject.id == "{grant.who[1]}"')
            elif grant.who[0] == "Team":
                lines.append(f'agent.team == "{grant.who[1]}"')
            else:
                lines.append(f'"{grant.who[1]}" in agent.roles')
            if grant.inside is not None and grant.inside[0] == "Folder":
                lines.append(f'thing.folder == "{grant.inside[1]}"')
            elif grant.inside is not None:
                lines.append(f'input.resource.id == "{grant.inside[1]}"')
            lines.append(f"thing.level <= {grant.level}")
            body = "\n".join(f"    {line}" for line in lines)
            rules.append(f'policies contains "{grant.name}" if {{\n{body}\n}}')
        return "\n\n".join(rules)

    def rego_data(self) -> str:
        """Return what the Rego looks up, as OPA's base document."""
        return json.dumps({"agents": self.agents, "things": self.things})


_SCHEMA = """namespace Aeterna {
    entity Role, Team, Folder;
    entity Agent in [Role, Team] = { tenant: String, level: Long };
    entity Document, Dataset, Model, Ticket, Secret in [Folder] = { tenant: String, level: Long };
    action ACTIONS appliesTo { principal: [Agent], resource: [Document, Dataset, Model, Ticket, Secret], context: {} };
}
""".replace("ACTIONS", ", ".join(f'"act-{number}"' for number in range(ACTIONS)))

# Answers carry the policies that allow, as the sidecar's do.
_REGO = """package authz

agent := data.agents[input.subject.id]

thing := data.things[input.resource.id]

decision := {"decision": allowed, "policies": policies}

default allowed := false

allowed if {
    count(policies) > 0
    agent.tenant == thing.tenant
}
"""
