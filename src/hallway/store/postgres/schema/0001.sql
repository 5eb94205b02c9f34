-- The first schema. Everything stands in a PostgreSQL schema of its own, so that others can share the database.
-- ␀ in a text stands for NUL, which PostgreSQL does not take; ␛ stands before a ␀ or ␛ that is meant as such.

CREATE TABLE version (number integer NOT NULL);
INSERT INTO version VALUES (0);

-- ---------------------------------------------------------------------- the home

-- Whose home this is: one row. incarnation: the directory that may write here; last_seq: how far the replica is;
-- taken: the last row of that directory's tail which is among the samples; newest: the latest time in what came with it.
CREATE TABLE home (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    hub_id text NOT NULL,
    incarnation text NOT NULL,
    last_seq bigint NOT NULL DEFAULT 0,
    synchronised timestamptz,
    taken bigint NOT NULL DEFAULT 0,
    newest timestamptz
);

-- As the tables of home.db; values, attributes and bodies are JSON, times are seconds since 1970.
CREATE TABLE definition (
    kind text NOT NULL,
    id text NOT NULL,
    version integer NOT NULL,
    at double precision NOT NULL,
    author text,
    door text NOT NULL,
    body text,
    seq bigint NOT NULL,
    act bigint NOT NULL,
    checksum bigint,
    PRIMARY KEY (kind, id, version)
);
CREATE TABLE kept_id (
    owner text PRIMARY KEY,
    entity_id text NOT NULL
);
CREATE TABLE state (
    entity_id text PRIMARY KEY,
    number bigint NOT NULL,
    state text NOT NULL,
    attributes text NOT NULL,
    last_changed double precision NOT NULL,
    last_updated double precision NOT NULL,
    told_by text NOT NULL
);
CREATE TABLE value (
    device_id text NOT NULL,
    attribute text NOT NULL,
    value text NOT NULL,
    updated double precision NOT NULL,
    changed double precision,
    PRIMARY KEY (device_id, attribute)
);
CREATE TABLE variable (
    name text PRIMARY KEY,
    value text NOT NULL
);
CREATE TABLE plan (
    device_id text NOT NULL,
    name text NOT NULL,
    due double precision NOT NULL,
    PRIMARY KEY (device_id, name)
);
CREATE TABLE note (
    owner text NOT NULL,
    name text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (owner, name)
);

-- ---------------------------------------------------------------------- the past

-- What has values over time. kind: attribute (owner: device), variable or entity; samples, first and last: what there is
-- of it; more: the row of table more that holds now; rolling: where its roll-ups stand.
CREATE TABLE series (
    number integer PRIMARY KEY,
    kind text NOT NULL,
    owner text NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    discrete boolean NOT NULL,
    samples bigint NOT NULL DEFAULT 0,
    first timestamptz,
    last timestamptz,
    more bigint,
    rolling bytea,
    UNIQUE (kind, owner, name)
);

-- Values at times. number: the value of a number, 1 and 0 for true and false, and what a numeric text says;
-- kind: f float, i integer (text: its digits in base 16 if number cannot hold them), b boolean, s text, u text with escapes,
-- n nothing, j JSON.
CREATE TABLE sample (
    series integer NOT NULL,
    at timestamptz NOT NULL,
    id bigint NOT NULL,
    number double precision,
    kind "char" NOT NULL,
    text text,
    more bigint,
    PRIMARY KEY (series, at, id)
);

-- The attributes of an entity from the sample `id` on, as JSON; until: the last sample that has them.
CREATE TABLE more (
    series integer NOT NULL,
    id bigint NOT NULL,
    until timestamptz NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (series, id)
);

-- Roll-ups; seconds: 300, 3600 or 86400. A clock that was set back leaves more than one of a time.
CREATE TABLE bucket (
    series integer NOT NULL,
    seconds integer NOT NULL,
    at timestamptz NOT NULL,
    least double precision NOT NULL,
    most double precision NOT NULL,
    mean double precision NOT NULL,
    last double precision NOT NULL,
    count bigint NOT NULL,
    rise double precision NOT NULL
);
CREATE INDEX bucket_time ON bucket (series, seconds, at);
CREATE INDEX bucket_age ON bucket (seconds, at);

-- For people and their charts.
CREATE VIEW samples AS
    SELECT kind.kind, kind.owner, kind.name, sample.at, sample.number, sample.text, more.body AS attributes
    FROM sample JOIN series AS kind ON kind.number = sample.series
    LEFT JOIN more ON more.series = sample.series AND more.id = sample.more;
CREATE VIEW buckets AS
    SELECT series.kind, series.owner, series.name, bucket.seconds, bucket.at, bucket.least, bucket.most, bucket.mean,
        bucket.last, bucket.count, bucket.rise
    FROM bucket JOIN series ON series.number = bucket.series;
