"""Services of rules: `rule.turn_on`, `turn_off`, `toggle` and `trigger`, offered once the first rule is there.

It must not know what a rule does.
"""

from __future__ import annotations

from hallway.errors import InvalidInput, Unavailable
from hallway.home.abilities.base import Field
from hallway.home.announcing import check_editable
from hallway.home.calls import Call, all_of, done
from hallway.home.changes import Context
from hallway.home.entities import Entities
from hallway.home.entity_services import entity_ids_in
from hallway.home.rules import Rules
from hallway.home.services import Asked, Offered, Services
from hallway.home.values import Attributes

_SERVICES = (
    ("turn_on", "Let rules run"),
    ("turn_off", "Let rules run no more"),
    ("toggle", "Let rules run that did not, and the other way round"),
)
_TRIGGER = "Let rules do what they do, whatever their condition says"


class RuleServices:
    """Switches rules on and off for those who think in entities."""

    def __init__(self, services: Services, entities: Entities, rules: Rules) -> None:
        self._services = services
        self._entities = entities
        self._rules = rules

    def offer(self, context: Context) -> None:
        """The services of rules, if they are not offered yet."""
        for service, text in _SERVICES:
            if not self._services.has("rule", service):
                fields = (Field("entity_id", "one entity id or a list; without it all rules"),)
                self._services.register("rule", service, Offered(text, fields, self._check, self._run), context)

        if not self._services.has("rule", "trigger"):
            fields = (Field("entity_id", "one entity id or a list", required=True),)
            self._services.register(
                "rule", "trigger", Offered(_TRIGGER, fields, self._check_named, self._trigger), context
            )

    def _check_named(self, data: Attributes) -> None:
        if not self._named(data) or entity_ids_in(data) is None:
            raise InvalidInput("rule.trigger needs entity_id: the entity of a rule, as rule.night, or a list of them")

    def _trigger(self, asked: Asked) -> Call:
        self._check_named(asked.data)
        trigger = self._rules.trigger
        if trigger is None:
            raise Unavailable("this hub does not run rules now")
        return all_of([trigger(rule_id, asked.context) for rule_id in self._named(asked.data)])

    def _check(self, data: Attributes) -> None:
        for rule_id in self._named(data):
            check_editable(f"rule {rule_id}", self._rules.get(rule_id).source)

    def _run(self, asked: Asked) -> Call:
        self._check(asked.data)
        for rule_id in self._named(asked.data):
            wanted = self._rules.get(rule_id).wanted
            active = {"turn_on": True, "turn_off": False, "toggle": not wanted}[asked.service]
            if active != wanted:
                self._rules.change(rule_id, {"active": active}, asked.context)
        return done()

    def _named(self, data: Attributes) -> list[str]:
        wanted = entity_ids_in(data)
        ids = self._entities.of_domain("rule") if wanted is None else wanted
        owners = self._entities.owned(ids)
        return [owner.key.removeprefix("rule:") for _entity_id, owner in owners if owner.kind == "rule"]
