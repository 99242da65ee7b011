-- What is known of keys beside the ring's own file (common/keyring.h).

-- What the peer said of a key and the ring has not taken up yet: the record's transaction notes it, the clock thread carries it into the ring.
CREATE TABLE key_word (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key_id TEXT NOT NULL CHECK (length(key_id) = 16),                -- whose life changes
    word TEXT NOT NULL CHECK (word IN ('announced', 'trusted', 'current', 'retired', 'revoked')),
    name TEXT NOT NULL DEFAULT '',                                   -- announced: the key's own name
    sign TEXT NOT NULL DEFAULT '',                                   -- announced: public halves in hex
    box TEXT NOT NULL DEFAULT '',
    expires_ms INTEGER NOT NULL DEFAULT 0,                           -- announced
    incarnation TEXT NOT NULL DEFAULT '',                            -- current: the stream in which it signs from number on
    number INTEGER NOT NULL DEFAULT 0,
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;

-- Which keys sealed or signed items of a case; written on the side of record only.
CREATE TABLE key_case (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    case_no TEXT NOT NULL,                                           -- case number
    key_id TEXT NOT NULL CHECK (length(key_id) = 16),                -- the sender's or our own
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0,                         -- when the row was changed last
    UNIQUE (case_no, key_id)
) STRICT;

-- Keys that may have been in other hands: their cases are marked until somebody verified them.
CREATE TABLE key_revoked (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key_id TEXT NOT NULL UNIQUE CHECK (length(key_id) = 16),
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;
