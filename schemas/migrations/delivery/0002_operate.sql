-- What the operator's verbs and a restored side need.

-- '' sends; stopped: the peer knows numbers that we never gave out; resync: the tables of both sides are being compared.
ALTER TABLE delivery_stream ADD COLUMN state TEXT NOT NULL DEFAULT '' CHECK (state IN ('', 'stopped', 'resync'));
ALTER TABLE delivery_stream ADD COLUMN state_ms INTEGER NOT NULL DEFAULT 0;          -- since when
ALTER TABLE delivery_stream ADD COLUMN token TEXT NOT NULL DEFAULT '';               -- of the resync under way, 32 hex digits
ALTER TABLE delivery_stream ADD COLUMN part INTEGER NOT NULL DEFAULT 0;              -- its question that is open, 0: the vault is still read
ALTER TABLE delivery_stream ADD COLUMN drained INTEGER NOT NULL DEFAULT 0 CHECK (drained IN (0, 1));   -- 1: the operator wants nothing new accepted

-- Places of a case that will never come: the peer sent them once, we lost them with our database, and it keeps them no more.
CREATE TABLE in_gone (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    case_no TEXT NOT NULL,                                           -- case number
    seq INTEGER NOT NULL CHECK (seq >= 1),                           -- the place
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0,                         -- when the row was changed last
    UNIQUE (case_no, seq)
) STRICT;

-- Cases of which the peer has seen more than a restored database remembers: when the resync ends, their present state is said anew.
CREATE TABLE resync_ahead (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    case_no TEXT NOT NULL UNIQUE,                                    -- case number
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;

-- How fast records cross, a row a day (Beijing) on which one was confirmed: FRY-20, PRF-06.
CREATE TABLE crossing_day (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    day TEXT NOT NULL UNIQUE CHECK (length(day) = 10),               -- 2026-11-23
    records INTEGER NOT NULL DEFAULT 0,                              -- confirmed on it
    within_5 INTEGER NOT NULL DEFAULT 0,                             -- of these, acknowledged by the peer within 5 minutes of being accepted
    within_10 INTEGER NOT NULL DEFAULT 0,                            -- of these, confirmed with every slice within 10 minutes
    slowest_ms INTEGER NOT NULL DEFAULT 0,                           -- longest time to the confirmation
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;
CREATE INDEX out_item_late ON out_item (gmt_create) WHERE retain = 1 AND bulk = 0;
