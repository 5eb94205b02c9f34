-- The names of series once more, on pages of their own: only a salvage reads them, where those of `series` are damaged.
CREATE TABLE series_copy (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    discrete INTEGER NOT NULL
) STRICT;
INSERT INTO series_copy SELECT number, kind, owner, name, type, discrete FROM series;
