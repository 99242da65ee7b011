-- What each side can prove of the crossing: its journal, what the peer signed of its own, and the comparison of the day. None holds personal data.

-- One entry for each step, written with what it records, never changed and never removed: about 350 bytes each with the indexes, some ten a record.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY CHECK (id >= 1),                          -- its place, from 1 without gaps
    at_ms INTEGER NOT NULL,                                          -- when, by our clock
    what TEXT NOT NULL CHECK (what IN ('sealed', 'placed', 'sent', 'acked', 'confirmed', 'received', 'applied', 'refused', 'held', 'waiting', 'resync', 'peer-resync')),
    incarnation TEXT NOT NULL DEFAULT '',                            -- stream of the file that is spoken of, '' when none is
    number INTEGER NOT NULL DEFAULT 0,                               -- number of that file, or size of a journal (resync, peer-resync)
    item_id TEXT NOT NULL DEFAULT '',                                -- the item, '' when the entry is about a file
    kind TEXT NOT NULL DEFAULT '',                                   -- its kind
    case_no TEXT NOT NULL DEFAULT '',                                -- its case number
    hash TEXT NOT NULL DEFAULT '',                                   -- of the sealed item, of the file, or head of a journal (resync, peer-resync)
    own BLOB NOT NULL CHECK (length(own) = 32),                      -- BLAKE2b-256 of all of the above and of the entry before (journal.h)
    nodes BLOB NOT NULL DEFAULT x'',                                 -- nodes of the hash tree that this entry completes, lowest first, 32 bytes each
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last: never
) STRICT;
CREATE INDEX journal_case ON journal (case_no) WHERE case_no <> '';
CREATE INDEX journal_item ON journal (item_id) WHERE item_id <> '';
CREATE INDEX journal_number ON journal (number, incarnation) WHERE number > 0;
CREATE INDEX journal_at ON journal (at_ms);

-- Heads of the peer's journal as its beats told them, and what those beats said of ours: the newest two, the first of each hour of two days, the first
-- of each day for ever.
CREATE TABLE journal_peer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation TEXT NOT NULL,                                       -- the peer's stream in which the beat counts
    size INTEGER NOT NULL,                                           -- how many entries its journal had
    head TEXT NOT NULL CHECK (length(head) = 64),                    -- root of its tree then
    our_incarnation TEXT NOT NULL DEFAULT '',                        -- our stream, of which it speaks in what follows
    our_size INTEGER NOT NULL DEFAULT 0,                             -- newest head of ours that it had heard, 0 = none
    our_head TEXT NOT NULL DEFAULT '',
    contiguous INTEGER NOT NULL DEFAULT 0,                           -- our files that it had received
    heard_ms INTEGER NOT NULL,                                       -- when it came, by our clock
    keep TEXT NOT NULL DEFAULT '' CHECK (keep IN ('', 'hour', 'day')), -- why it stays
    beat BLOB NOT NULL,                                              -- the signed file, byte for byte
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;
CREATE INDEX journal_peer_stream ON journal_peer (incarnation, id);

-- Days (Beijing) whose list we sent, and whose lists we compared.
CREATE TABLE reconcile_day (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    day TEXT NOT NULL UNIQUE CHECK (length(day) = 10),               -- 2026-11-23
    sent_ms INTEGER NOT NULL DEFAULT 0,                              -- when our list went out, 0 = it did not
    heard_ms INTEGER NOT NULL DEFAULT 0,                             -- when the peer's last part was compared
    compared INTEGER NOT NULL DEFAULT 0,                             -- rows of the peer's list that were compared
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;

-- Where the peer's list and our journal differ: an alarm until somebody settles it.
CREATE TABLE reconcile_difference (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    day TEXT NOT NULL,                                               -- of the peer's list
    subject TEXT NOT NULL,                                           -- item id, or STREAM/NUMBER of a file
    kind TEXT NOT NULL DEFAULT '',                                   -- item's kind, or file
    case_no TEXT NOT NULL DEFAULT '',                                -- item's case number
    peer TEXT NOT NULL,                                              -- what the peer says: word and hash
    own TEXT NOT NULL,                                               -- what our journal says, 'nothing' when it knows it not
    settled_ms INTEGER NOT NULL DEFAULT 0,                           -- when somebody looked into it, 0 = open
    reason TEXT NOT NULL DEFAULT '',                                 -- and what was found
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0,                         -- when the row was changed last
    UNIQUE (day, subject, peer)
) STRICT;
CREATE INDEX reconcile_open ON reconcile_difference (settled_ms) WHERE settled_ms = 0;
