-- Changes of the configuration: drafted, submitted, released by another person. A released set is never altered: it is the history.

-- change_set: what somebody wants to be different; schemas/changes/README.md says what a change is.
CREATE TABLE change_set (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key and order
    uid          TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),    -- public id
    version      INTEGER NOT NULL DEFAULT 1,         -- of the row: a save names the one it began with
    state        TEXT    NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'submitted', 'released', 'dropped', 'declined')),
    source       TEXT    NOT NULL DEFAULT 'intranet' CHECK (source IN ('intranet', 'internet')),   -- where it was wished
    title        TEXT    NOT NULL,                   -- what it is about
    wish         TEXT    NOT NULL DEFAULT '',        -- what the other side wrote
    record       TEXT    UNIQUE CHECK (record IS NULL OR length(record) = 32),   -- item that brought a wish, NULL for our own
    restores     INTEGER NOT NULL DEFAULT 0,         -- version whose content it brings back, 0 = none
    changes      TEXT    NOT NULL CHECK (substr(changes, 1, 1) = '['),        -- list of changes
    words        TEXT    NOT NULL DEFAULT '[]' CHECK (substr(words, 1, 1) = '['),   -- before and after in words, as released
    edited_by    TEXT    REFERENCES officer (uid),   -- who wrote last, NULL: nobody here yet
    edited_at    INTEGER NOT NULL,                   -- ms
    reason       TEXT    NOT NULL DEFAULT '',        -- why, from whoever submitted it
    submitted_by TEXT    REFERENCES officer (uid),
    submitted_at INTEGER NOT NULL DEFAULT 0,         -- ms
    answer       TEXT    NOT NULL DEFAULT '',        -- reason of a return or a decline
    decided_by   TEXT    REFERENCES officer (uid),   -- who released, returned, dropped or declined
    decided_at   INTEGER NOT NULL DEFAULT 0,         -- ms
    released     INTEGER UNIQUE REFERENCES configuration (version),   -- the number it became, NULL before
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    CHECK ((state = 'released') = (released IS NOT NULL)),
    -- two persons: who releases did not submit
    CHECK (state <> 'released' OR (submitted_by IS NOT NULL AND decided_by IS NOT NULL AND decided_by <> submitted_by))
) STRICT;
CREATE INDEX change_set_state ON change_set (state, id);

-- change_author: everybody who wrote or submitted a set.
CREATE TABLE change_author (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    change_set   TEXT    NOT NULL REFERENCES change_set (uid),
    officer      TEXT    NOT NULL REFERENCES officer (uid),
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    UNIQUE (change_set, officer)
) STRICT;

-- Nobody who wrote a word of it releases it; what was released stays as it is.
CREATE TRIGGER change_set_two_persons BEFORE UPDATE OF state ON change_set
WHEN NEW.state = 'released' AND EXISTS (SELECT 1 FROM change_author WHERE change_set = NEW.uid AND officer = NEW.decided_by)
BEGIN SELECT RAISE(ABORT, 'change_set: released by one of its authors'); END;
CREATE TRIGGER change_set_kept BEFORE UPDATE ON change_set WHEN OLD.state = 'released'
BEGIN SELECT RAISE(ABORT, 'change_set: a released set is not altered'); END;
CREATE TRIGGER change_set_not_deleted BEFORE DELETE ON change_set WHEN OLD.state = 'released'
BEGIN SELECT RAISE(ABORT, 'change_set: a released set is not deleted'); END;
CREATE TRIGGER change_author_kept BEFORE DELETE ON change_author
BEGIN SELECT RAISE(ABORT, 'change_author: an author stays one'); END;
