-- The archive of samples. A strand is one kind of what is kept of a series: 4 × its number, plus 0 for its samples,
-- 1 for its 5 minutes, 2 for its hours, 3 for its days. A body is some hundred rows of a strand, packed.

-- Each time that rows were taken out of the tail, a fold. upto: the id of the last one; newest: how late it was then.
CREATE TABLE layer (
    number INTEGER PRIMARY KEY,
    upto INTEGER NOT NULL,
    newest INTEGER NOT NULL
) STRICT;

-- What a fold brought of a strand, until there is enough for a chunk. id: number of the fold × 2^32 + strand.
CREATE TABLE piece (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- Bodies that are full, in the order in which they became so.
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- Where the chunks of a strand are. first, last: milliseconds since 1970; count: rows; bytes: of the body.
CREATE TABLE place (
    strand INTEGER NOT NULL,
    last INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (strand, last, chunk)
) STRICT, WITHOUT ROWID;

-- What there is of a strand in all. waiting: rows in pieces; settled: pieces of folds up to this one count no more.
-- running: roll-ups that are not complete; more: of the newest row, where its body does not say it.
CREATE TABLE strand (
    number INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    running BLOB,
    more BLOB
) STRICT;
