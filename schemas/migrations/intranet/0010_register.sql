-- Register: households that begin and end, people who move, come back or are locked, and the papers issued.

ALTER TABLE household ADD COLUMN status TEXT NOT NULL DEFAULT 'normal' CHECK (status IN ('normal', 'cancelled'));
ALTER TABLE household ADD COLUMN name TEXT NOT NULL DEFAULT '';            -- of a collective household: the unit that keeps it
ALTER TABLE household ADD COLUMN collective_kind TEXT NOT NULL DEFAULT ''  -- POP-23; '' = family household
    CHECK (collective_kind IN ('', 'unit', 'student', 'talent', 'temple', 'public'));
ALTER TABLE household ADD COLUMN land_kind TEXT NOT NULL DEFAULT ''        -- 集体土地标注 (CWD-20); '' = not marked yet
    CHECK (land_kind IN ('', 'state', 'collective'));
ALTER TABLE household ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1));   -- 冻结土地标注 (CWD-21): nobody moves in
ALTER TABLE household ADD COLUMN formed TEXT NOT NULL DEFAULT '';          -- day
ALTER TABLE household ADD COLUMN ended TEXT NOT NULL DEFAULT '';           -- day
CREATE INDEX household_name ON household (name) WHERE name <> '';

ALTER TABLE person ADD COLUMN lock_case TEXT NOT NULL DEFAULT '';          -- 受理号 of the move under way; '' = free (POP-32)
ALTER TABLE person ADD COLUMN move_in_date TEXT NOT NULL DEFAULT '';       -- into the present household
ALTER TABLE person ADD COLUMN move_in_region TEXT NOT NULL DEFAULT '';     -- from where, GB/T 2260
ALTER TABLE person ADD COLUMN move_in_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN move_out_region TEXT NOT NULL DEFAULT '';    -- whereto, GB/T 2260 (cancel_kind moved_out)
ALTER TABLE person ADD COLUMN move_out_place TEXT NOT NULL DEFAULT '';

-- paper: what was issued on the register: booklets, migration certificates, permits to move in, certificates.
CREATE TABLE paper (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    uid          TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),
    kind         TEXT    NOT NULL CHECK (kind IN ('booklet', 'dispute_booklet', 'migration_certificate', 'permit', 'e_permit', 'certificate')),
    no           TEXT    NOT NULL,                   -- printed number; drawn here, or as on a paper issued elsewhere
    ours         INTEGER NOT NULL DEFAULT 1 CHECK (ours IN (0, 1)),   -- 0: issued elsewhere and scanned here
    household    TEXT    NOT NULL DEFAULT '',        -- household uid; '' = of a person alone
    person       TEXT    NOT NULL DEFAULT '',        -- person uid; '' = of a household
    case_no      TEXT    NOT NULL DEFAULT '',
    unit         TEXT    NOT NULL DEFAULT '',        -- issuing station
    issued       TEXT    NOT NULL,                   -- day
    valid_until  TEXT    NOT NULL DEFAULT '',        -- day; '' = no end
    status       TEXT    NOT NULL DEFAULT 'valid' CHECK (status IN ('valid', 'lost', 'damaged', 'expired', 'replaced', 'used', 'cancelled')),
    reason       TEXT    NOT NULL DEFAULT '',        -- why issued
    sealed       BLOB    NOT NULL DEFAULT (x''),     -- AEAD: what stands on it, as JSON
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE UNIQUE INDEX paper_ours ON paper (kind, no) WHERE ours = 1;
CREATE INDEX paper_no ON paper (no);
CREATE INDEX paper_household ON paper (household) WHERE household <> '';
CREATE INDEX paper_person ON paper (person) WHERE person <> '';
CREATE INDEX paper_case ON paper (case_no);

-- register_event: now of persons, households and papers. Still only added.
ALTER TABLE register_event RENAME COLUMN person TO subject;                -- uid of the row
ALTER TABLE register_event ADD COLUMN kind TEXT NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'household', 'paper'));
ALTER TABLE register_event ADD COLUMN business TEXT NOT NULL DEFAULT '';   -- kind of business of the item: birth_registration, move_in ...
ALTER TABLE register_event ADD COLUMN undoes INTEGER NOT NULL DEFAULT 0;   -- id of the event that this one takes back; 0 = none
CREATE INDEX register_event_case ON register_event (case_no, id);
CREATE INDEX register_event_undoes ON register_event (undoes) WHERE undoes <> 0;

-- id_given: every number that was ever given, also one that was replaced since: none is given twice. Only the number of somebody who came with it
-- and whose coming was taken back is forgotten: it is still his.
CREATE TABLE id_given (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    id_index     BLOB    NOT NULL UNIQUE,            -- keyed hash of id_no
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
INSERT INTO id_given(id_index) SELECT id_index FROM person;
CREATE TRIGGER id_given_new AFTER INSERT ON person BEGIN INSERT OR IGNORE INTO id_given(id_index) VALUES (new.id_index); END;
CREATE TRIGGER id_given_changed AFTER UPDATE OF id_index ON person BEGIN INSERT OR IGNORE INTO id_given(id_index) VALUES (new.id_index); END;

CREATE INDEX address_text ON address (text);
CREATE INDEX household_address ON household (address);
