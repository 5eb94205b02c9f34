-- The number of the first change of the act (one thing that somebody did) to which a version belongs. 0: it was alone, or
-- the first itself.
ALTER TABLE definition ADD COLUMN act INTEGER NOT NULL DEFAULT 0;

-- Finds versions by their number, and lists them newest first.
CREATE INDEX definition_seq ON definition (seq);
