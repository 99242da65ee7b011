-- Cases: the file, its pages, its trail and what leaves the house for it.

-- case_file: where a case stands. What is personal beyond the subject's name is sealed.
CREATE TABLE case_file (
    id             INTEGER PRIMARY KEY AUTOINCREMENT, -- row key
    no             TEXT    NOT NULL UNIQUE CHECK (length(no) = 16),  -- 受理号
    item           TEXT    NOT NULL,                  -- catalogue code
    flow           TEXT    NOT NULL,                  -- flow type
    workflow       TEXT    NOT NULL DEFAULT '',       -- flow with variant; '' until the first claim
    state          TEXT    NOT NULL,                  -- of the flow
    previous       TEXT    NOT NULL DEFAULT '',       -- state before, for @previous
    unit           TEXT    NOT NULL REFERENCES unit (code),   -- accepting station
    up_unit        TEXT    NOT NULL DEFAULT '',       -- sub-bureau it was sent up to at least once
    up             INTEGER NOT NULL DEFAULT 0 CHECK (up IN (0, 1)),  -- waits there now
    holder         TEXT    NOT NULL DEFAULT '',       -- officer uid, '' = nobody
    holder_name    TEXT    NOT NULL DEFAULT '',       -- for lists (short, hardly ever changes)
    held_since     INTEGER NOT NULL DEFAULT 0,        -- ms
    version        INTEGER NOT NULL DEFAULT 1,        -- grows with every change an officer must know of
    transitions    INTEGER NOT NULL DEFAULT 0,        -- taken by people
    wait_roles     INTEGER NOT NULL DEFAULT 0,        -- bits of the roles for whom it is to do
    final          INTEGER NOT NULL DEFAULT 0 CHECK (final IN (0, 1)),
    archived       INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    pre_archived   INTEGER NOT NULL DEFAULT 0 CHECK (pre_archived IN (0, 1)),  -- reviewed, data kept ready for finishing
    supplemented   INTEGER NOT NULL DEFAULT 0 CHECK (supplemented IN (0, 1)),  -- a supplement came since the last decision
    originals_due  INTEGER NOT NULL DEFAULT 0 CHECK (originals_due IN (0, 1)), -- papers must be handed over
    channel        TEXT    NOT NULL DEFAULT '',       -- wechat, app, pc
    submitted      INTEGER NOT NULL DEFAULT 0,        -- ms, by the citizen
    received       INTEGER NOT NULL DEFAULT 0,        -- ms, here
    confirmed      INTEGER NOT NULL DEFAULT 0,        -- ms, every page stored
    state_since    INTEGER NOT NULL DEFAULT 0,        -- ms
    state_due      TEXT    NOT NULL DEFAULT '',       -- day; '' = none
    total_due      TEXT    NOT NULL DEFAULT '',       -- day
    stopped_on     TEXT    NOT NULL DEFAULT '',       -- day since which time does not count
    citizen_due    TEXT    NOT NULL DEFAULT '',       -- last day for the citizen
    sort_due       TEXT    NOT NULL DEFAULT '9999-12-31',  -- what lists sort by
    config_version INTEGER NOT NULL DEFAULT 0,        -- catalogue it is judged by
    record         TEXT    NOT NULL UNIQUE CHECK (length(record) = 32),   -- id of the application's item
    content        TEXT    NOT NULL DEFAULT '',       -- hash the identity statement is bound to
    person         TEXT    NOT NULL DEFAULT '',       -- the subject's name
    id_index       BLOB    NOT NULL DEFAULT (x''),    -- keyed hash of the subject's ID number
    id_sealed      BLOB    NOT NULL DEFAULT (x''),    -- AEAD
    phone_sealed   BLOB    NOT NULL DEFAULT (x''),    -- AEAD: the applicant's, for SMS
    payload        BLOB    NOT NULL DEFAULT (x''),    -- AEAD under the case's key: form, materials, statement
    round          INTEGER NOT NULL DEFAULT 0,        -- supplement requests sent
    pages_total    INTEGER NOT NULL DEFAULT 0,
    pages_done     INTEGER NOT NULL DEFAULT 0,
    undo_until     INTEGER NOT NULL DEFAULT 0,        -- ms; 0 = nothing to undo
    undo_officer   TEXT    NOT NULL DEFAULT '',       -- who may
    undo           TEXT    NOT NULL DEFAULT '',       -- JSON of the columns before the decision; no personal data
    gmt_create     INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified   INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX case_file_unit ON case_file (unit, final, sort_due);
CREATE INDEX case_file_up ON case_file (up_unit, final, sort_due);
CREATE INDEX case_file_holder ON case_file (holder, final);
CREATE INDEX case_file_person ON case_file (id_index);

-- case_key: the key of a case, wrapped by the master key outside the database. Made by whatever of the case comes first.
CREATE TABLE case_key (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    case_no      TEXT    NOT NULL UNIQUE,
    wrapped      BLOB    NOT NULL,
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;

-- page: one image or PDF of a material as the record names it.
CREATE TABLE page (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    uid          TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),
    case_no      TEXT    NOT NULL,
    record       TEXT    NOT NULL,                   -- item id of the record that names it
    round        INTEGER NOT NULL DEFAULT 0,         -- 0 = application, else of the supplement
    material     INTEGER NOT NULL,                   -- slot; 0 = photo of a character that cannot be typed
    alternative  INTEGER NOT NULL DEFAULT -1,        -- which alternative was chosen; -1 = none named
    n            INTEGER NOT NULL,                   -- order in the slot, from 1
    type         TEXT    NOT NULL,                   -- image/jpeg, image/png, application/pdf
    size         INTEGER NOT NULL,                   -- bytes
    parts        INTEGER NOT NULL,                   -- how many
    parts_done   INTEGER NOT NULL DEFAULT 0,
    unreadable   INTEGER NOT NULL DEFAULT 0 CHECK (unreadable IN (0, 1)),  -- the image child could not decode it
    sheets       INTEGER NOT NULL DEFAULT 1,         -- of a PDF
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX page_case ON page (case_no, round, material, n);

-- part: a piece of a page. page '' = it came before its record; file '' = the record came before it.
CREATE TABLE part (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    uid          TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),    -- item id
    case_no      TEXT    NOT NULL,
    page         TEXT    NOT NULL DEFAULT '',
    n            INTEGER NOT NULL DEFAULT 0,         -- order in the page, from 1
    size         INTEGER NOT NULL,                   -- bytes
    hash         TEXT    NOT NULL,                   -- BLAKE2b-256 of the bytes
    file         TEXT    NOT NULL DEFAULT '',        -- random name in the file store
    sealed_hash  TEXT    NOT NULL DEFAULT '',        -- of the item as it crossed, for the confirmation
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX part_page ON part (page, n);
CREATE INDEX part_case ON part (case_no);
CREATE INDEX part_file ON part (file) WHERE file <> '';

-- intake: each record of the internet side that was stored, and how far its confirmation is.
CREATE TABLE intake (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    record       TEXT    NOT NULL UNIQUE CHECK (length(record) = 32),   -- item id
    kind         TEXT    NOT NULL CHECK (kind IN ('application', 'supplement', 'withdrawal')),
    case_no      TEXT    NOT NULL,
    round        INTEGER NOT NULL DEFAULT 0,
    sealed_hash  TEXT    NOT NULL,                   -- of the item as it crossed
    confirmed    INTEGER NOT NULL DEFAULT 0,         -- ms; 0 = pages are still coming
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX intake_case ON intake (case_no, id);

-- page_mark: who has seen a page, and his verdict.
CREATE TABLE page_mark (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    page         TEXT    NOT NULL REFERENCES page (uid),
    officer      TEXT    NOT NULL REFERENCES officer (uid),
    seen         INTEGER NOT NULL DEFAULT 0 CHECK (seen IN (0, 1)),
    verdict      TEXT    NOT NULL DEFAULT '',        -- good, blurred, incomplete, mismatch, expired
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    UNIQUE (page, officer)
) STRICT;

-- trail: who, unit, role, time, opinion of every step. Rows are only added; an undone step gets a row of its own.
CREATE TABLE trail (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key and order
    uid          TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),
    case_no      TEXT    NOT NULL,
    at           INTEGER NOT NULL,                   -- ms
    officer      TEXT    NOT NULL DEFAULT '',        -- uid, '' = the system
    name         TEXT    NOT NULL DEFAULT '',        -- as they were then
    unit         TEXT    NOT NULL DEFAULT '',
    unit_name    TEXT    NOT NULL DEFAULT '',
    role         TEXT    NOT NULL DEFAULT '',
    action       TEXT    NOT NULL,                   -- action of the flow, or claim, release, undo, note...
    text         TEXT    NOT NULL DEFAULT '',        -- label, no personal data
    from_state   TEXT    NOT NULL DEFAULT '',
    to_state     TEXT    NOT NULL DEFAULT '',
    sealed       BLOB    NOT NULL DEFAULT (x''),     -- AEAD under the case's key: opinion, reasons, rule, remedy, before and after
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX trail_case ON trail (case_no, id);
CREATE INDEX trail_officer ON trail (officer, case_no);

-- case_note: an officer's note on a difference between form and register; the latest of a field counts.
CREATE TABLE case_note (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    case_no      TEXT    NOT NULL,
    field        TEXT    NOT NULL,
    officer      TEXT    NOT NULL,
    sealed       BLOB    NOT NULL,                   -- AEAD under the case's key
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    UNIQUE (case_no, field)
) STRICT;

-- effect_pending: what a decision sends, waiting until it can no longer be undone. Released in order of id.
CREATE TABLE effect_pending (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key and order
    case_no      TEXT    NOT NULL,
    trail        TEXT    NOT NULL,                   -- uid of the step
    not_before   INTEGER NOT NULL,                   -- ms
    kind         TEXT    NOT NULL CHECK (kind IN ('status', 'supplement_request', 'sms')),
    sealed       BLOB    NOT NULL,                   -- AEAD under the case's key: the values as JSON
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX effect_pending_due ON effect_pending (not_before);
CREATE INDEX effect_pending_case ON effect_pending (case_no, id);

-- sms: messages to the applicant, sent through the SMS platform by the sender; the number is the case's.
CREATE TABLE sms (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key and order
    uid          TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),    -- the platform refuses a repeat by it
    case_no      TEXT    NOT NULL,
    template     TEXT    NOT NULL,
    text         TEXT    NOT NULL,                   -- names nobody
    phone_sealed BLOB    NOT NULL DEFAULT (x''),     -- AEAD; x'' = the case's own
    state        TEXT    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_at      INTEGER NOT NULL DEFAULT 0,         -- ms: not before
    sent_at      INTEGER NOT NULL DEFAULT 0,         -- ms
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX sms_queue ON sms (state, next_at);
CREATE INDEX sms_case ON sms (case_no, id);
