-- Register core: addresses, households, persons, and what happened to them. ID numbers and phones are sealed with a keyed blind index.

-- address: 标准地址.
CREATE TABLE address (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    uid          TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),
    region       TEXT    NOT NULL,                   -- GB/T 2260
    text         TEXT    NOT NULL,                   -- from the city on
    unit         TEXT    NOT NULL REFERENCES unit (code),   -- station it belongs to
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;

-- household: 户.
CREATE TABLE household (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    uid          TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),
    book_no      TEXT    NOT NULL UNIQUE,            -- 户号
    kind         TEXT    NOT NULL,                   -- GA/T 2000.27: family or collective
    head         TEXT    NOT NULL DEFAULT '',        -- person uid
    address      TEXT    NOT NULL REFERENCES address (uid),
    unit         TEXT    NOT NULL REFERENCES unit (code),
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;

-- person: 常住人口. '' = not registered. Numbers of the person and of parents and spouse, and the phone, are in `sealed`.
CREATE TABLE person (
    id               INTEGER PRIMARY KEY AUTOINCREMENT, -- row key
    uid              TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),
    household        TEXT    NOT NULL REFERENCES household (uid),
    id_index         BLOB    NOT NULL UNIQUE,           -- keyed hash of id_no
    sealed           BLOB    NOT NULL,                  -- AEAD: id_no, phone, father_id_no, mother_id_no, spouse_id_no as JSON
    name             TEXT    NOT NULL,
    former_name      TEXT    NOT NULL DEFAULT '',
    gender           TEXT    NOT NULL CHECK (gender IN ('0', '1', '2', '9')),   -- GB/T 2261.1
    ethnicity        TEXT    NOT NULL DEFAULT '',       -- GB/T 3304
    birth_date       TEXT    NOT NULL,
    birth_time       TEXT    NOT NULL DEFAULT '',
    birth_country    TEXT    NOT NULL DEFAULT '',       -- GB/T 2659
    birth_region     TEXT    NOT NULL DEFAULT '',       -- GB/T 2260
    birth_place      TEXT    NOT NULL DEFAULT '',
    native_region    TEXT    NOT NULL DEFAULT '',       -- GB/T 2260
    marital_status   TEXT    NOT NULL DEFAULT '',       -- GB/T 2261.2
    education        TEXT    NOT NULL DEFAULT '',       -- GB/T 4658
    military_status  TEXT    NOT NULL DEFAULT '',       -- GA/T 2000.36
    employer         TEXT    NOT NULL DEFAULT '',
    relation_to_head TEXT    NOT NULL DEFAULT '',       -- GB/T 4761
    father_name      TEXT    NOT NULL DEFAULT '',
    mother_name      TEXT    NOT NULL DEFAULT '',
    spouse_name      TEXT    NOT NULL DEFAULT '',
    status           TEXT    NOT NULL DEFAULT 'normal' CHECK (status IN ('normal', 'cancelled')),
    cancel_kind      TEXT    NOT NULL DEFAULT '',
    cancel_date      TEXT    NOT NULL DEFAULT '',
    cancel_reason    TEXT    NOT NULL DEFAULT '',
    gmt_create       INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified     INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX person_household ON person (household, status);
CREATE INDEX person_name ON person (name, birth_date);
CREATE INDEX person_birth ON person (birth_date);

-- register_event: each change of one person with the row before and after. Rows are only added.
CREATE TABLE register_event (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key and order
    person       TEXT    NOT NULL,                   -- uid
    case_no      TEXT    NOT NULL DEFAULT '',        -- by which case
    op           TEXT    NOT NULL,                   -- add_person, update_person, cancel_person
    at           INTEGER NOT NULL,                   -- ms
    officer      TEXT    NOT NULL DEFAULT '',        -- uid
    name         TEXT    NOT NULL DEFAULT '',        -- officer's, as it was then
    unit         TEXT    NOT NULL DEFAULT '',
    text         TEXT    NOT NULL DEFAULT '',        -- title of the effect
    sealed       BLOB    NOT NULL,                   -- AEAD: {"before": row or null, "after": row}
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX register_event_person ON register_event (person, id);
CREATE TRIGGER register_event_no_update BEFORE UPDATE ON register_event BEGIN SELECT raise(ABORT, 'events are only added'); END;
CREATE TRIGGER register_event_no_delete BEFORE DELETE ON register_event BEGIN SELECT raise(ABORT, 'events are only added'); END;
