-- The number of the change with which a version came: the order in which definitions came follows from it. 0: it was
-- written beside the changes of the home.
ALTER TABLE definition ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
