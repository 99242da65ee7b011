-- Tables of the citizens' service. Nothing here can be read as an application or a photograph: sealed items lie in the delivery's
-- tables and in the spool, and what is kept of a person are keyed hashes under a pepper that is not in this file.
-- Common to all tables:
--   id            growing number of the row
--   gmt_create    when the row came into being, milliseconds UTC
--   gmt_modified  when it was last changed, milliseconds UTC

-- One row per case: what the citizen sees of it. Stays after the application itself was purged.
CREATE TABLE tracking (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    case_no         TEXT    NOT NULL UNIQUE CHECK (length(case_no) = 16 AND case_no NOT GLOB '*[^0-9]*'),  -- number of the case
    account         BLOB    NOT NULL CHECK (length(account) = 32),                          -- keyed hash of the phone that submitted
    item            TEXT    NOT NULL CHECK (length(item) = 5),                              -- code of the service
    config_version  INTEGER NOT NULL CHECK (config_version > 0),                            -- rules it was judged by
    unit            TEXT    NOT NULL CHECK (length(unit) = 12),                             -- accepting station
    last4           BLOB    NOT NULL DEFAULT x'',                                           -- keyed hash of the applicant's last four and the number
    submitted_ms    INTEGER NOT NULL CHECK (submitted_ms > 0),                              -- accepted here
    updated_ms      INTEGER NOT NULL CHECK (updated_ms > 0),                                -- last change that the citizen can see
    pages_total     INTEGER NOT NULL DEFAULT 0 CHECK (pages_total >= 0),                    -- pages of the last thing handed in
    pages_done      INTEGER NOT NULL DEFAULT 0 CHECK (pages_done >= 0),                     -- of these known to be on the intranet
    crossing        TEXT    NOT NULL DEFAULT 'crossing' CHECK (crossing IN ('crossing', 'held', 'received', 'confirmed', 'refused')),  -- how far the application itself came
    local_state     TEXT    NOT NULL DEFAULT '' CHECK (local_state IN ('', 'withdraw_asked', 'supplement_sent')),   -- said by the citizen, not yet answered
    state           TEXT    NOT NULL DEFAULT '',                                            -- key of the public state the intranet gave; '' before it spoke
    variant         TEXT    NOT NULL DEFAULT '',                                            -- which sentence of the state
    state_values    TEXT    NOT NULL DEFAULT '{}' CHECK (state_values LIKE '{%}'),         -- values of its placeholders
    stage           INTEGER NOT NULL DEFAULT 1 CHECK (stage BETWEEN 1 AND 5),               -- of the citizen's time line
    final           INTEGER NOT NULL DEFAULT 0 CHECK (final IN (0, 1)),                     -- nothing will follow
    deadline        TEXT    NOT NULL DEFAULT '' CHECK (deadline = '' OR length(deadline) = 10),   -- day, '' for none
    reason          TEXT    NOT NULL DEFAULT '',                                            -- why the import refused it, as the citizen reads it
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL
) STRICT;
CREATE INDEX tracking_account ON tracking (account, submitted_ms DESC);

-- The time line of a case in plain words.
CREATE TABLE tracking_event (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    case_no         TEXT    NOT NULL REFERENCES tracking (case_no),     -- its case
    at_ms           INTEGER NOT NULL CHECK (at_ms > 0),                 -- when it happened
    stage           INTEGER NOT NULL CHECK (stage BETWEEN 1 AND 5),     -- in which stage of the time line
    text            TEXT    NOT NULL CHECK (length(text) BETWEEN 1 AND 400),   -- one sentence, names no person
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL
) STRICT;
CREATE INDEX tracking_event_case ON tracking_event (case_no, at_ms);

-- What a station asked for (补正), one row a round.
CREATE TABLE supplement_request (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    case_no         TEXT    NOT NULL REFERENCES tracking (case_no),     -- its case
    round           INTEGER NOT NULL CHECK (round > 0),                 -- counts from 1 within the case
    sentence        TEXT    NOT NULL DEFAULT '',                        -- the officer's words
    deadline        TEXT    NOT NULL CHECK (length(deadline) = 10),     -- last day, Beijing
    wanted          TEXT    NOT NULL CHECK (wanted LIKE '{%}'),        -- {"slots":[{material,reason}],"fields":[{field,reason}]}
    sent            INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1)),  -- the citizen has handed it in
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL,
    UNIQUE (case_no, round)
) STRICT;

-- A record that was sealed and sent inward, until the intranet's word about it.
CREATE TABLE outgoing_record (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    record          TEXT    NOT NULL UNIQUE CHECK (length(record) = 32),        -- id of the sealed item
    case_no         TEXT    NOT NULL REFERENCES tracking (case_no),             -- its case
    kind            TEXT    NOT NULL CHECK (kind IN ('application', 'supplement', 'withdrawal')),  -- kind of record
    seq             INTEGER NOT NULL CHECK (seq > 0),                           -- place in the case's order
    hash            BLOB    NOT NULL CHECK (length(hash) = 32),                 -- of the sealed bytes
    word            TEXT    NOT NULL DEFAULT '' CHECK (word IN ('', 'received', 'confirmed', 'held', 'refused')),  -- last answer
    answered_ms     INTEGER NOT NULL DEFAULT 0,                                 -- when confirmed or refused, 0 before
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL,
    UNIQUE (case_no, seq)
) STRICT;

-- A page going up or waiting for its application.
CREATE TABLE upload (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    upload          TEXT    NOT NULL UNIQUE CHECK (length(upload) = 32),        -- its id towards the browser and on the intranet
    account         BLOB    NOT NULL CHECK (length(account) = 32),              -- whose
    draft           TEXT    NOT NULL CHECK (length(draft) = 32),                -- draft it belongs to, drawn by the browser
    material        INTEGER NOT NULL CHECK (material BETWEEN 0 AND 99),         -- slot
    type            TEXT    NOT NULL CHECK (type IN ('image/jpeg', 'image/png', 'application/pdf')),  -- judged by content at the first part
    size            INTEGER NOT NULL CHECK (size BETWEEN 1 AND 20971520),       -- bytes of the page
    offset          INTEGER NOT NULL DEFAULT 0 CHECK (offset BETWEEN 0 AND size),   -- bytes that are sealed
    record          TEXT    NOT NULL DEFAULT '' CHECK (length(record) IN (0, 32)),  -- outgoing record that holds it, '' before submitting
    expires_ms      INTEGER NOT NULL,                                           -- removed after this when it was not submitted
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL
) STRICT;
CREATE INDEX upload_account ON upload (account, record);
CREATE INDEX upload_record ON upload (record);
CREATE INDEX upload_expires ON upload (expires_ms) WHERE record = '';

-- One sealed part of a page: an item of kind slice, a file of that name in the spool.
CREATE TABLE upload_part (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    upload          TEXT    NOT NULL REFERENCES upload (upload) ON DELETE CASCADE,  -- its page
    start           INTEGER NOT NULL CHECK (start >= 0),                        -- first byte within the page
    size            INTEGER NOT NULL CHECK (size BETWEEN 1 AND 524288),         -- bytes before sealing
    item            TEXT    NOT NULL UNIQUE CHECK (length(item) = 32),          -- id of the sealed item and name of its file
    hash            BLOB    NOT NULL CHECK (length(hash) = 32),                 -- of the bytes before sealing
    sealed_size     INTEGER NOT NULL CHECK (sealed_size > 0),                   -- bytes of the file
    sealed_hash     BLOB    NOT NULL CHECK (length(sealed_hash) = 32),          -- of the file
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL,
    UNIQUE (upload, start)
) STRICT;

-- One row per Idempotency-Key: the same key gives the same case, always.
CREATE TABLE submission (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    key             BLOB    NOT NULL UNIQUE CHECK (length(key) = 32),           -- keyed hash of account, what is asked and the key
    body            BLOB    NOT NULL CHECK (length(body) = 32),                 -- keyed hash of the request, to refuse another one under this key
    case_no         TEXT    NOT NULL REFERENCES tracking (case_no),             -- what it gave
    record          TEXT    NOT NULL CHECK (length(record) = 32),               -- and the record
    pages           INTEGER NOT NULL DEFAULT 0 CHECK (pages >= 0),              -- as the receipt said
    at_ms           INTEGER NOT NULL CHECK (at_ms > 0),                         -- as the receipt said
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL
) STRICT;

-- Guard against the same application twice under two keys; rows go after ten minutes.
CREATE TABLE content_guard (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    content         BLOB    NOT NULL UNIQUE CHECK (length(content) = 32),       -- keyed hash of account, item and content
    case_no         TEXT    NOT NULL REFERENCES tracking (case_no),             -- the first one
    at_ms           INTEGER NOT NULL CHECK (at_ms > 0),                         -- when
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL
) STRICT;

-- Devices on which a case opens without the last four characters.
CREATE TABLE device_grant (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    case_no         TEXT    NOT NULL REFERENCES tracking (case_no),             -- the case
    device          BLOB    NOT NULL CHECK (length(device) = 32),               -- keyed hash of the device cookie
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL,
    UNIQUE (case_no, device)
) STRICT;

-- Wrong tries of the last four characters.
CREATE TABLE unlock_try (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    case_no         TEXT    NOT NULL UNIQUE REFERENCES tracking (case_no),      -- the case; it has one account
    tries           INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),              -- wrong ones since the last right one or lock
    locked_until_ms INTEGER NOT NULL DEFAULT 0,                                 -- nothing is compared before this
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL
) STRICT;

-- Highest serial number given away in a month, in blocks: a restart skips what is left of one.
CREATE TABLE case_counter (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    month           INTEGER NOT NULL UNIQUE CHECK (month BETWEEN 0 AND 9999),   -- yymm
    reserved        INTEGER NOT NULL CHECK (reserved BETWEEN 0 AND 9999999),    -- serials up to this are taken
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL
) STRICT;

-- Configurations that arrived whole from the intranet; the two newest are kept.
CREATE TABLE configuration (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    version         INTEGER NOT NULL UNIQUE CHECK (version > 0),                -- as published
    hash            BLOB    NOT NULL CHECK (length(hash) = 32),                 -- BLAKE2b-256 of the bundle
    bundle          BLOB    NOT NULL,                                           -- canonical JSON
    published_ms    INTEGER NOT NULL,                                           -- when the intranet released it
    gmt_create      INTEGER NOT NULL,
    gmt_modified    INTEGER NOT NULL
) STRICT;
