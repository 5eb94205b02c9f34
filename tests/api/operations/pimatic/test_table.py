"""Names, routes, parameters and permissions of pimatic 0.9: what its clients call, and nothing else."""

from __future__ import annotations

from hallway.access.callers import EVERYTHING
from hallway.api.operations.base import Parameter
from hallway.api.operations.pimatic.table import OPERATIONS

# name, method, route, permission, parameters (a ? marks those that may be left out), result
FACTS = """
getGuiSettings | GET /api/config/settings/gui | - | | guiSettings
restart | POST /api/restart | restart | | void
getConfig | GET /api/config | config:read | password? | config
updateConfig | POST /api/config | config:write | config | -
addRuleByString | POST /api/rules/{ruleId} | rules:write | ruleId rule force? | -
updateRuleByString | PATCH /api/rules/{ruleId} | rules:write | ruleId rule | -
removeRule | DELETE /api/rules/{ruleId} | rules:write | ruleId | -
getRules | GET /api/rules | rules:write | | rules
getRuleById | GET /api/rules/{ruleId} | rules:read | ruleId | rule
getRuleActionsHints | POST /api/rules-parser/get-actions-hints | rules:read | actionsInput | hints
getRuleConditionHints | POST /api/rules-parser/get-condition-hints | rules:read | conditionInput | hints
getPredicatePresets | GET /api/rules-parser/get-predicate-presets | rules:read | | presets
getPredicateInfo | GET /api/rules-parser/get-predicate-info | rules:read | input predicateProviderClass? | result
executeAction | POST /api/execute-action | rules:write | actionString simulate? logging? | message
updateRuleOrder | POST /api/rules | rules:write | ruleOrder | ruleOrder
getVariables | GET /api/variables | variables:read | | variables
updateVariable | PATCH /api/variables/{name} | variables:write | name type valueOrExpression unit? | variable
addVariable | POST /api/variables/{name} | variables:write | name type valueOrExpression unit? | variable
getVariableByName | GET /api/variables/{name} | variables:read | name | variable
removeVariable | DELETE /api/variables/{name} | variables:write | name | variable
updateVariableOrder | POST /api/variables | variables:write | variableOrder | variableOrder
getInstalledPluginsWithInfo | GET /api/plugins | plugins:read | | plugins
searchForPluginsWithInfo | GET /api/available-plugins | plugins:read | | plugins
getOutdatedPlugins | GET /api/outdated-plugins | updates:read | | outdatedPlugins
isPimaticOutdated | GET /api/outdated-pimatic | updates:read | | outdated
installUpdatesAsync | POST /api/update-async | updates:write | modules | status
uninstallPlugin | DELETE /api/plugins/{name} | updates:write | name | -
removePluginFromConfig | DELETE /api/config/plugins | plugins:write | pluginName | removed
setPluginActivated | POST /api/config/plugins-active | plugins:write | pluginName active | pluginUpdated
getUpdateProcessStatus | GET /api/update-process | - | | info
getPluginConfigSchema | GET /api/plugin-config-schema/{pluginName} | plugins:read | pluginName | configSchema
getPluginConfig | GET /api/plugin-config/{pluginName} | plugins:read | pluginName | config
updatePluginConfig | POST /api/plugin-config/{pluginName} | plugins:write | pluginName config | -
doesRequireRestart | GET /api/restart-required | plugins:read | | restartRequired
queryMessages | GET /api/database/messages | messages:read | criteria? | messages
deleteMessages | DELETE /api/database/messages | messages:write | criteria? | -
addDeviceAttributeLogging | - | events:read | deviceId attributeName time | -
queryMessagesTags | GET /api/database/messages/tags | messages:read | criteria? | tags
queryMessagesCount | GET /api/database/messages/count | messages:read | criteria? | count
queryDeviceAttributeEvents | GET /api/database/device-attributes/ | events:read | criteria? | events
queryDeviceAttributeEventsCount | GET /api/database/device-attributes/count | events:read | | count
queryDeviceAttributeEventsCounts | GET /api/database/device-attributes/counts | events:read | | counts
queryDeviceAttributeEventsDevices | GET /api/database/device-attributes/devices | events:read | | devices
queryDeviceAttributeEventsInfo | GET /api/database/device-attributes-info | events:read | | deviceAttributes
querySingleDeviceAttributeEvents | GET /api/database/device-attributes/{deviceId}/{attributeName} | events:read \
| deviceId attributeName criteria? | events
getDeviceAttributeLogging | - | events:read | | attributeLogging
setDeviceAttributeLogging | - | events:write | attributeLogging | -
getDeviceAttributeLoggingTime | - | events:read | deviceId attributeName | timeInfo
runVacuum | GET /api/database/vacuum | database:write | | -
checkDatabase | GET /api/database/check | database:write | | problems
deleteDeviceAttribute | DELETE /api/database/device-attribute/by-id | database:write | id | -
updateDeviceAttribute | PATCH /api/database/device-attribute/by-id | database:write | id | -
getGroups | GET /api/groups | groups:read | | groups
removeGroup | DELETE /api/groups/{groupId} | groups:write | groupId | removed
addGroup | POST /api/groups/{groupId} | groups:write | groupId group | group
updateGroup | PATCH /api/groups/{groupId} | groups:write | groupId group | group
addDeviceToGroup | POST /api/groups/{groupId}/devices/{deviceId} | groups:write | groupId deviceId | deviceItem
removeDeviceFromGroup | DELETE /api/groups/{groupId}/devices/{deviceId} | groups:write | groupId deviceId | group
addRuleToGroup | POST /api/groups/{groupId}/rules/{ruleId} | rules:write | groupId ruleId position? | group
removeRuleFromGroup | DELETE /api/groups/{groupId}/rules/{ruleId} | rules:write | groupId ruleId | group
updateRuleGroupOrder | POST /api/groups/{groupId}/rules | rules:write | groupId ruleOrder | group
addVariableToGroup | POST /api/groups/{groupId}/variables/{variableName} | variables:write \
| groupId variableName position? | group
updateDeviceGroupOrder | POST /api/groups/{groupId}/devices | devices:write | groupId deviceOrder | group
removeVariableFromGroup | DELETE /api/groups/{groupId}/variables/{variableName} | variables:write \
| groupId variableName | group
updateVariableGroupOrder | POST /api/groups/{groupId}/variables | variables:write | groupId variableOrder | group
updateGroupOrder | POST /api/groups | groups:write | groupOrder | groupOrder
getPages | GET /api/pages | pages:read | | pages
getPageById | GET /api/pages/{pageId} | pages:read | pageId | page
removePage | DELETE /api/pages/{pageId} | pages:write | pageId | removed
addPage | POST /api/pages/{pageId} | pages:write | pageId page | page
updatePage | PATCH /api/pages/{pageId} | pages:write | pageId page | page
addDeviceToPage | POST /api/pages/{pageId}/devices/{deviceId} | pages:write | pageId deviceId | page
removeDeviceFromPage | DELETE /api/pages/{pageId}/devices/{deviceId} | pages:write | pageId deviceId | page
updatePageOrder | POST /api/pages | pages:write | pageOrder | pageOrder
getDevices | GET /api/devices | devices:read | | devices
getDeviceById | GET /api/devices/{deviceId} | devices:read | deviceId | device
updateDeviceOrder | POST /api/devices | devices:write | deviceOrder | deviceOrder
getDeviceClasses | GET /api/device-class | devices:read | | deviceClasses
getDeviceConfigSchema | GET /api/device-class/{className} | devices:read | className | configSchema
addDeviceByConfig | POST /api/device-config | devices:write | deviceConfig | device
updateDeviceByConfig | PATCH /api/device-config | devices:write | deviceConfig | device
removeDevice | DELETE /api/device-config/{deviceId} | devices:write | deviceId | device
discoverDevices | POST /api/discover-devices | devices:write | time? | -
callDeviceAction | GET /api/device/{deviceId}/{actionName} | controlDevices | deviceId actionName | -
"""


def _known() -> set[str]:
    return {" ".join(line.split()) for line in FACTS.replace("\\\n", "").strip().splitlines()}


def _parameters(parameters: tuple[Parameter, ...]) -> str:
    return " ".join(f"{known.name}{'' if known.required else '?'}" for known in parameters)


def test_every_operation_has_its_name_route_permission_parameters_and_result() -> None:
    declared = {
        " ".join(
            f"{known.name} | {' '.join((*known.methods, known.route)) or '-'} | {known.permission or '-'} | "
            f"{_parameters(known.parameters)} | {known.result or '-'}".replace(" -  |", " - |").split()
        )
        for known in OPERATIONS
    }
    assert declared == _known()


def test_there_are_eighty_with_a_route_and_four_for_the_socket_alone() -> None:
    assert len([known for known in OPERATIONS if known.route]) == 80
    assert [known.name for known in OPERATIONS if not known.route] == [
        "addDeviceAttributeLogging",
        "getDeviceAttributeLogging",
        "setDeviceAttributeLogging",
        "getDeviceAttributeLoggingTime",
    ]


def test_permissions_are_those_that_roles_can_give() -> None:
    assert {known.permission for known in OPERATIONS} - {""} <= EVERYTHING


def test_parameters_of_the_path_stand_in_the_route() -> None:
    for known in OPERATIONS:
        in_path = {parameter.name for parameter in known.parameters if parameter.where == "path"}
        assert in_path == {part[1:-1] for part in known.route.split("/") if part.startswith("{")}, known.name


def test_what_is_done_with_the_request_needs_no_task() -> None:
    at_once = {known.name for known in OPERATIONS if known.at_once(None)}  # type: ignore[arg-type]
    assert {"updateVariable", "addDeviceByConfig", "removeRule", "addPage", "updateRuleOrder"} <= at_once
    assert {"updateConfig", "addRuleByString"}.isdisjoint(at_once)
    assert {"getDevices", "getVariables", "getVariableByName", "callDeviceAction", "executeAction"} <= at_once
