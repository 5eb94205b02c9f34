-- The first schema. Values and attributes are JSON texts; times are seconds since 1970.

-- How far the home was when the last values were written: one row.
CREATE TABLE progress (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last_seq INTEGER NOT NULL
) STRICT;
INSERT INTO progress VALUES (1, 0);

-- Everything that people and programs define, every version of it; body is NULL where it was removed.
CREATE TABLE definition (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    at REAL NOT NULL,
    author TEXT,
    door TEXT NOT NULL,
    body TEXT,
    PRIMARY KEY (kind, id, version)
) STRICT, WITHOUT ROWID;

-- The entity id that an owner got once.
CREATE TABLE kept_id (
    owner TEXT PRIMARY KEY,
    entity_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What each entity showed last; number is the order in which they came.
CREATE TABLE state (
    number INTEGER PRIMARY KEY,
    entity_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    attributes TEXT NOT NULL,
    last_changed REAL NOT NULL,
    last_updated REAL NOT NULL,
    told_by TEXT NOT NULL
) STRICT;

-- The last value of each attribute of a device; changed is NULL while the first value has only been confirmed.
CREATE TABLE value (
    device_id TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value TEXT NOT NULL,
    updated REAL NOT NULL,
    changed REAL,
    PRIMARY KEY (device_id, attribute)
) STRICT, WITHOUT ROWID;

CREATE TABLE variable (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What devices are going to do.
CREATE TABLE plan (
    device_id TEXT NOT NULL,
    name TEXT NOT NULL,
    due REAL NOT NULL,
    PRIMARY KEY (device_id, name)
) STRICT, WITHOUT ROWID;
