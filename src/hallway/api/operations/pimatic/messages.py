"""The operations on messages: list, count and delete them.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import Ask, Hub, Operation
from hallway.api.operations.pimatic.declaring import ANY, DATE, maybe
from hallway.api.operations.pimatic.forms import message_form
from hallway.api.operations.pimatic.message_criteria import wanted_messages

AREA: Final = "database"


def query_messages(hub: Hub, ask: Ask) -> object:
    wanted = wanted_messages(ask.data.get("criteria"))
    return [message_form(message) for message in wanted.of(hub.home.messages.all())]


def count_messages(hub: Hub, ask: Ask) -> int:
    wanted = wanted_messages(ask.data.get("criteria"))
    return sum(1 for message in hub.home.messages.all() if wanted.fits(message))


def query_tags(hub: Hub, ask: Ask) -> list[str]:
    wanted = wanted_messages(ask.data.get("criteria"))
    return list(dict.fromkeys(tag for message in wanted.of(hub.home.messages.all()) for tag in message.tags))


def delete_messages(hub: Hub, ask: Ask) -> int:
    wanted = wanted_messages(ask.data.get("criteria"))
    return hub.home.messages.forget({message.id for message in wanted.of(hub.home.messages.all())})


_MESSAGES: Final = maybe(
    "criteria",
    "object",
    "which messages: of one level or several, from a time to another, and how many",
    example={"level": "error", "limit": 10},
    fields=(
        maybe("level", "", "a level or a list of levels: error, warn, info, debug", schema=ANY),
        maybe("levelOp", "string", "=, <, <=, >, >= or <>; error is the least level", example="<="),
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
    ),
)
