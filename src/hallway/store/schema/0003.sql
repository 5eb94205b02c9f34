-- What parts of the hub keep in mind over a restart, such as what rules are going to do; body is a JSON object.
CREATE TABLE note (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (owner, name)
) STRICT, WITHOUT ROWID;
