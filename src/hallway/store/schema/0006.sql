-- What the rest of the row came to when it was written, so that a byte that changes by itself is found. NULL: it was
-- written before there were any.
ALTER TABLE definition ADD COLUMN checksum INTEGER;
