"""The operations on messages: list, count and delete those that are kept.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from math import isnan
from typing import Final

from hallway.api.operations.base import Ask, Hub, Operation, Parameter, never
from hallway.api.operations.pimatic.declaring import ANY, DATE, maybe
from hallway.api.operations.pimatic.forms import message_form
from hallway.api.operations.pimatic.message_criteria import wanted_messages
from hallway.errors import InvalidInput
from hallway.home.messages import Wanted

AREA: Final = "database"


async def query_messages(hub: Hub, ask: Ask) -> object:
    return [message_form(message) for message in await hub.messages.find(_wanted(ask))]


async def count_messages(hub: Hub, ask: Ask) -> int:
    return await hub.messages.count(_wanted(ask))


async def query_tags(hub: Hub, ask: Ask) -> list[str]:
    return await hub.messages.tags(_wanted(ask))


async def delete_messages(hub: Hub, ask: Ask) -> int:
    wanted = _wanted(ask)
    if any(at is not None and isnan(at) for at in (wanted.after, wanted.before)):
        raise InvalidInput("criteria.after and criteria.before must be times: milliseconds since 1970, or ISO text")
    return await hub.messages.forget(wanted)


def _wanted(ask: Ask) -> Wanted:
    return wanted_messages(ask.data.get("criteria"))


_MESSAGES: Final = maybe(
    "criteria",
    "object",
    "which messages: of one level or several, from a time to another, and how many",
    example={"level": "error", "limit": 10},
    fields=(
        maybe("level", "", "a level or a list of levels: error, warn, info, debug", schema=ANY),
        maybe("levelOp", "string", "=, <, <=, >, >= or <>; error is the least level", example="<="),
        Parameter("text", "data", "what their text holds somewhere, in any case", beyond=True),
        maybe("after", "", "a time in milliseconds since 1970, or as ISO text", schema=DATE),
        maybe("before", "", "likewise", schema=DATE),
        maybe("limit", "number", "how many at most"),
    ),
)

OPERATIONS: Final = (
    Operation(
        "queryMessages",
        ("GET",),
        "/api/database/messages",
        "List messages, newest first",
        "messages:read",
        "messages",
        query_messages,
        (_MESSAGES,),
        area=AREA,
        result_type="array",
        at_once=never,
    ),
    Operation(
        "deleteMessages",
        ("DELETE",),
        "/api/database/messages",
        "Delete messages; the answer is how many",
        "messages:write",
        "",
        delete_messages,
        (_MESSAGES,),
        area=AREA,
        exact=True,
        at_once=never,
    ),
    Operation(
        "queryMessagesTags",
        ("GET",),
        "/api/database/messages/tags",
        "List the tags of messages",
        "messages:read",
        "tags",
        query_tags,
        (_MESSAGES,),
        area=AREA,
        result_type="array",
        at_once=never,
    ),
    Operation(
        "queryMessagesCount",
        ("GET",),
        "/api/database/messages/count",
        "Count messages",
        "messages:read",
        "count",
        count_messages,
        (_MESSAGES,),
        area=AREA,
        result_type="number",
        at_once=never,
    ),
)
