-- What else happened: messages, the change log and the traces of rules follow history.db.

-- log_turn: how often history.db and these tables were made the same; it stands in both, so that a history.db which is
-- new, or older than what is here, is seen. logs_at: when something of them came last.
ALTER TABLE home ADD COLUMN log_turn integer NOT NULL DEFAULT 0;
ALTER TABLE home ADD COLUMN logs_at timestamptz;

-- Messages. tags: each after a line break, and one at the end.
CREATE TABLE message (
    id bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    level text NOT NULL,
    text text NOT NULL,
    tags text NOT NULL,
    origin text NOT NULL,
    who text,
    cause bigint
);
CREATE INDEX message_time ON message (at);

-- What rules did or did not do. at: seconds since 1970, when it was last so; seq: the change behind it; size: of the body
-- in history.db; body: all about it, NULL where it is no JSON.
CREATE TABLE trace (
    id bigint PRIMARY KEY,
    rule_id text NOT NULL,
    at double precision NOT NULL,
    result text NOT NULL,
    did boolean NOT NULL,
    seq bigint,
    size integer NOT NULL,
    body json
);
CREATE INDEX trace_time ON trace (to_timestamp(at));

-- The blocks of history.db in which the changes stand.
CREATE TABLE change_block (
    id bigint PRIMARY KEY,
    crc bigint NOT NULL,
    count integer NOT NULL
);

-- What happened. kind: updated (owner: a device), variable, event, or defined (thing: rule, device, …; owner: its id);
-- old, new: values by name, the value of a variable, the data of an event; states: what entities show since.
CREATE TABLE change (
    block bigint NOT NULL,
    place integer NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    thing text,
    owner text NOT NULL,
    old json,
    new json NOT NULL,
    states json,
    origin text NOT NULL,
    who text,
    cause bigint,
    depth integer NOT NULL,
    hops json,
    remote boolean,
    source text,
    PRIMARY KEY (block, place)
);
CREATE INDEX change_time ON change (at);
CREATE INDEX change_owner ON change (owner, at);

-- For people and their programs.
CREATE VIEW messages AS
    SELECT id, at, level, text, string_to_array(nullif(btrim(tags, E'\n'), ''), E'\n') AS tags, origin, who, cause
    FROM message;
CREATE VIEW changes AS
    SELECT seq, at, kind, thing, owner, old, new, states, origin, who, cause FROM change;
CREATE VIEW traces AS
    SELECT id, to_timestamp(at) AS at, rule_id, result, did, seq, body FROM trace;
