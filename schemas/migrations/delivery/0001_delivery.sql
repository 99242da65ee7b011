-- The delivery library's tables, the same on both sides. Times are milliseconds since 1970 UTC; hashes are BLAKE2b-256 in hex.

-- Our own stream: one row.
CREATE TABLE delivery_stream (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    incarnation TEXT NOT NULL CHECK (length(incarnation) = 16),      -- 64 random bits, drawn when the database is made
    next_number INTEGER NOT NULL DEFAULT 1 CHECK (next_number >= 1), -- number of the next file; numbers are never used twice
    beat_counter INTEGER NOT NULL DEFAULT 0,                         -- counter of our beats, kept ahead in steps of 1000
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;

-- An item on its way out: sealed once, kept until the peer acknowledged its file or, with retain, until its record was confirmed.
CREATE TABLE out_item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,                            -- order of coming into being
    item_id TEXT NOT NULL UNIQUE CHECK (length(item_id) = 32),       -- the item's random id, also in its manifest
    kind TEXT NOT NULL,                                              -- record kind or slice
    case_no TEXT NOT NULL DEFAULT '',                                -- case number, '' when it belongs to none
    case_seq INTEGER NOT NULL DEFAULT 0 CHECK (case_seq >= 0),       -- place in the case's order, 0 when it needs none
    bulk INTEGER NOT NULL DEFAULT 0 CHECK (bulk IN (0, 1)),          -- 1: travels in slice files, behind the batches
    retain INTEGER NOT NULL DEFAULT 0 CHECK (retain IN (0, 1)),      -- 1: kept until confirmed by the peer's record
    sealed BLOB NOT NULL DEFAULT x'',                                -- sealed bytes, or empty when they lie in the spool
    spool TEXT NOT NULL DEFAULT '',                                  -- name of the spool file, or ''
    size INTEGER NOT NULL CHECK (size > 0),                          -- of the sealed bytes
    hash TEXT NOT NULL CHECK (length(hash) = 64),                    -- of the sealed bytes
    number INTEGER NOT NULL DEFAULT 0,                               -- file it travels in, 0 while queued, -1: of a former stream
    acked_ms INTEGER NOT NULL DEFAULT 0,                             -- when its file was acknowledged
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;
CREATE INDEX out_item_number ON out_item (number, bulk, id);
CREATE INDEX out_item_case ON out_item (case_no);
CREATE INDEX out_item_open ON out_item (bulk, number) WHERE acked_ms = 0;
CREATE INDEX out_item_retain ON out_item (retain) WHERE retain = 1;

-- A file that was formed and is not acknowledged yet. Its bytes are made again from its items when it is sent again.
CREATE TABLE out_file (
    id INTEGER PRIMARY KEY,                                          -- its number in our stream
    kind TEXT NOT NULL CHECK (kind IN ('batch', 'slice')),
    created_ms INTEGER NOT NULL,                                     -- stands in its header
    hash TEXT NOT NULL DEFAULT '',                                   -- of the file's bytes, '' until it was published once
    size INTEGER NOT NULL DEFAULT 0,                                 -- bytes of the file
    sends INTEGER NOT NULL DEFAULT 0,                                -- how often it was published
    first_ms INTEGER NOT NULL DEFAULT 0,                             -- published first
    last_ms INTEGER NOT NULL DEFAULT 0,                              -- published last
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;

-- The last order number that a case used on its way out.
CREATE TABLE out_case (
    id INTEGER PRIMARY KEY,
    case_no TEXT NOT NULL UNIQUE,                                    -- case number
    seq INTEGER NOT NULL CHECK (seq >= 1),                           -- last used
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;

-- Spool files whose item is gone: removed by the delivery after the commit, so that a crash between leaves none behind.
CREATE TABLE spool_trash (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,                                              -- file in the spool and the mirror folder
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;

-- A stream of the peer: everything up to contiguous was applied.
CREATE TABLE in_stream (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation TEXT NOT NULL UNIQUE CHECK (length(incarnation) = 16), -- the peer's
    contiguous INTEGER NOT NULL DEFAULT 0,                           -- highest number without a gap below
    heard_ms INTEGER NOT NULL DEFAULT 0,                             -- last file or beat of it
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;

-- Files above contiguous that came early.
CREATE TABLE in_file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation TEXT NOT NULL,                                       -- the peer's
    number INTEGER NOT NULL CHECK (number >= 1),                     -- its number there
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0,                         -- when the row was changed last
    UNIQUE (incarnation, number)
) STRICT;

-- Every item that came, once: the guard against applying twice, and the place of those that cannot be applied yet.
CREATE TABLE in_item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id TEXT NOT NULL UNIQUE CHECK (length(item_id) = 32),       -- the item's random id
    kind TEXT NOT NULL,                                              -- record kind or slice
    case_no TEXT NOT NULL DEFAULT '',                                -- case number, '' when it belongs to none
    case_seq INTEGER NOT NULL DEFAULT 0,                             -- place in the case's order
    state TEXT NOT NULL CHECK (state IN ('applied', 'refused', 'held', 'waiting')),
    hash TEXT NOT NULL,                                              -- of the sealed bytes
    sealed BLOB NOT NULL DEFAULT x'',                                -- the sealed bytes while held or waiting, and of refused ones
    reason TEXT NOT NULL DEFAULT '',                                 -- of held and refused, in words, without personal data
    received_ms INTEGER NOT NULL,                                    -- when it came
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;
CREATE INDEX in_item_open ON in_item (state, case_no, case_seq) WHERE state <> 'applied';

-- The last order number of a case that was settled (applied or refused) on its way in.
CREATE TABLE in_case (
    id INTEGER PRIMARY KEY,
    case_no TEXT NOT NULL UNIQUE,                                    -- case number
    seq INTEGER NOT NULL CHECK (seq >= 1),                           -- last settled
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;
