-- Messages, in the order in which they were kept. at: milliseconds since 1970; tags: each after a line break, and one
-- at the end; origin, who, cause: of the context of the change that brought it.
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL,
    tags TEXT NOT NULL,
    origin TEXT NOT NULL,
    who TEXT,
    cause INTEGER
) STRICT;
CREATE INDEX message_at ON message (at, id);
CREATE INDEX message_kind ON message (level, tags, at);
