-- What happened, in blocks in the order in which they were written. Times are milliseconds since 1970; prints:
-- fingerprints of what the changes concern; crc: over the fingerprints and the body.
CREATE TABLE change_block (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    prints BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX change_block_seq ON change_block (last_seq, first_seq);

-- What rules did (did = 1) or did not do. at: seconds since 1970, when it was last so; seq: the change behind it; body:
-- JSON of all about it.
CREATE TABLE trace (
    id INTEGER PRIMARY KEY,
    rule_id TEXT NOT NULL,
    at REAL NOT NULL,
    result TEXT NOT NULL,
    did INTEGER NOT NULL,
    seq INTEGER,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX trace_rule ON trace (rule_id, id, result);
CREATE INDEX trace_run ON trace (rule_id, at) WHERE did = 1;
CREATE INDEX trace_seq ON trace (seq, rule_id) WHERE did = 1 AND seq IS NOT NULL;
CREATE INDEX trace_at ON trace (at);
