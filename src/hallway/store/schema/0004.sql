-- Finds what was removed without a look at all versions of everything.
CREATE INDEX definition_removed ON definition (at) WHERE body IS NULL;
