"""What somebody may see of revisions: whole things by the scopes of their role, pages by theirs, scenes in part.

Everything that tells a body, or a difference of two, asks here first. It must not know how somebody asks, nor who keeps
revisions.
"""

from __future__ import annotations

from typing import Final

from hallway.access.callers import Caller
from hallway.api.operations.base import Hub
from hallway.api.operations.differences import difference_form, fields, named, sentence
from hallway.api.operations.entity_scopes import may_see
from hallway.home.revisions import ORDER, Revision, Which
from hallway.home.values import Attributes, Value

SCOPES: Final = {
    "device": "devices",
    "scene": "devices",
    "variable": "variables",
    "rule": "rules",
    "page": "pages",
    "group": "groups",
    "plugin": "plugins",
    "user": "config",
    "role": "config",
    "setting": "config",
}
"""The scope of a role that lets people read and write a kind of things."""
Bodies = tuple[Attributes | None, Attributes | None]


class Sight:
    """What one caller may see, of the home as it is now."""

    def __init__(self, hub: Hub, caller: Caller) -> None:
        self._hub = hub
        self._caller = caller

    def may(self, access: str, which: Which) -> bool:
        """Whether they have that access to things of the kind."""
        kind, key = which
        scope = SCOPES.get(key if kind == ORDER else kind)
        return scope is not None and self._caller.may(f"{scope}:{access}")

    def sees(self, which: Which, *bodies: Attributes | None) -> bool:
        """Whether they may see it at all. Pages are for their roles, and for who may read the whole configuration."""
        if not self.may("read", which):
            return False
        if which[0] != "page" or self._caller.may("config:read"):
            return True
        return all(self._is_for(body.get("allowedRoles")) for body in bodies if body is not None)

    def sees_revision(self, revision: Revision) -> bool:
        """Whether they may see that edit."""
        return self.sees(revision.which, revision.before, revision.body)

    def of_body(self, which: Which, body: Attributes | None) -> Attributes | None:
        """What of a body they may see: of a scene the entities, of an order the pages that they may."""
        if body is None:
            return None
        members, order = body.get("entities"), body.get("order")
        if which[0] == "scene" and isinstance(members, dict):
            return {**body, "entities": {key: wanted for key, wanted in members.items() if may_see(self._caller, key)}}
        if which == (ORDER, "page") and isinstance(order, list):
            return {**body, "order": list[Value](self.of_order("page", order))}
        return body

    def of_order(self, kind: str, order: list[Value] | tuple[str, ...]) -> list[str]:
        """The ids that they may see."""
        ids = [str(key) for key in order]
        if kind != "page" or self._caller.may("config:read"):
            return ids
        seen = {page.id for page in self._hub.home.pages.all() if self._is_for(page.config.get("allowedRoles"))}
        return [key for key in ids if key in seen]

    def sentence(self, which: Which, was: Attributes | None, now: Attributes | None) -> str:
        """What was done to something, in words; nothing of what they may not see."""
        return sentence(which, *self.of_bodies(which, was, now))

    def told(self, revision: Revision) -> str:
        """What was done with a revision, also where nobody knows any more what was before."""
        if revision.before is None and (revision.body is None or revision.forgotten) and revision.kind != ORDER:
            return f"{named(revision.which)} was {'removed' if revision.body is None else 'changed'}"
        return self.sentence(revision.which, revision.before, revision.body)

    def fields(self, which: Which, was: Attributes | None, now: Attributes | None) -> list[Value]:
        """Likewise, field by field."""
        return [field.form() for field in fields(which[0], *self.of_bodies(which, was, now))]

    def difference(self, which: Which, was: Attributes | None, now: Attributes | None) -> Attributes:
        """Both, as data; neither where they may not see the thing."""
        if not self.sees(which, was, now):
            return {"kind": which[0], "id": which[1], "text": "", "fields": []}
        return difference_form(which, *self.of_bodies(which, was, now))

    def of_bodies(self, which: Which, was: Attributes | None, now: Attributes | None) -> Bodies:
        """Two bodies, as far as they may see them."""
        return self.of_body(which, was), self.of_body(which, now)

    def _is_for(self, roles: Value) -> bool:
        return not isinstance(roles, list) or self._caller.role in roles
