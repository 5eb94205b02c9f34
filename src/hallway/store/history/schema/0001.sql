-- The first schema: what has values over time, and the newest of them until they are folded into the archive.

-- A number for each that ever had a value. kind: attribute, variable or entity; discrete: changes in steps.
CREATE TABLE series (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    discrete INTEGER NOT NULL,
    UNIQUE (kind, owner, name)
) STRICT;

-- Samples in the order in which they came, packed: columns of id, time in milliseconds since 1970, series, value, and
-- `more` as JSON, NULL where it is as in the row of that series before. What is written at one time touches one page.
CREATE TABLE tail (
    last_id INTEGER PRIMARY KEY,
    length INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- Up to which row the archive has taken the tail: one row.
CREATE TABLE fold (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last_id INTEGER NOT NULL
) STRICT;
INSERT INTO fold VALUES (1, 0);
