-- Organisation: units and accounts of officers. Every table: id grows; gmt_create and gmt_modified are milliseconds UTC.
-- Names, codes and times are plain; passwords are argon2id hashes.

-- unit: the tree 市局 - 分局 - 派出所.
CREATE TABLE unit (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    code         TEXT    NOT NULL UNIQUE CHECK (length(code) = 12),   -- GA 380
    name         TEXT    NOT NULL,                   -- full name
    short        TEXT    NOT NULL DEFAULT '',        -- what citizens and lists read
    parent       TEXT    NOT NULL DEFAULT '',        -- code of the unit above, '' at the top
    level        TEXT    NOT NULL CHECK (level IN ('city', 'sub_bureau', 'station')),  -- which level of the tree
    region       TEXT    NOT NULL DEFAULT '',        -- first GB/T 2260 region it serves: area of numbers it assigns
    accepting    INTEGER NOT NULL DEFAULT 0 CHECK (accepting IN (0, 1)),  -- takes applications
    address      TEXT    NOT NULL DEFAULT '',        -- where it is
    phone        TEXT    NOT NULL DEFAULT '',        -- its own number
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX unit_parent ON unit (parent);

-- officer: one account, one role, one unit. Administrators and those who work on cases exclude each other: a role is single.
CREATE TABLE officer (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- row key
    uid           TEXT    NOT NULL UNIQUE CHECK (length(uid) = 32),   -- public id
    login         TEXT    NOT NULL UNIQUE COLLATE NOCASE,             -- what is typed
    name          TEXT    NOT NULL,                  -- of the person
    role          TEXT    NOT NULL CHECK (role IN ('aux', 'officer', 'sub_bureau', 'admin')),
    unit          TEXT    NOT NULL REFERENCES unit (code),            -- where
    badge         TEXT    NOT NULL DEFAULT '',       -- 警号
    password      TEXT    NOT NULL,                  -- argon2id
    must_change   INTEGER NOT NULL DEFAULT 1 CHECK (must_change IN (0, 1)),  -- first password still in force
    enabled       INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    failures      INTEGER NOT NULL DEFAULT 0,        -- wrong passwords in a row
    locked_until  INTEGER NOT NULL DEFAULT 0,        -- ms; 0 = not locked
    last_login    INTEGER NOT NULL DEFAULT 0,        -- ms; 0 = never
    gmt_create    INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified  INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX officer_unit ON officer (unit);

-- officer_password: hashes used before, so that the last five are not taken again.
CREATE TABLE officer_password (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    officer      TEXT    NOT NULL REFERENCES officer (uid),
    password     TEXT    NOT NULL,                   -- argon2id
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX officer_password_officer ON officer_password (officer, id);

-- configuration: versions released to the internet side.
CREATE TABLE configuration (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key
    version      INTEGER NOT NULL UNIQUE CHECK (version > 0),
    hash         TEXT    NOT NULL,                   -- BLAKE2b-256 of the canonical bundle
    published    INTEGER NOT NULL,                   -- ms when it was handed to the ferry
    item         TEXT    NOT NULL DEFAULT '',        -- id of the item it crossed as
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;

-- audit: who did or read what. Each row's mac covers the row and the mac before it under a key outside the database. Rows are only added.
CREATE TABLE audit (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- row key and place in the chain
    at           INTEGER NOT NULL,                   -- ms
    officer      TEXT    NOT NULL DEFAULT '',        -- uid, '' = the system
    login        TEXT    NOT NULL DEFAULT '',        -- as it was then
    role         TEXT    NOT NULL DEFAULT '',
    unit         TEXT    NOT NULL DEFAULT '',
    address      TEXT    NOT NULL DEFAULT '',        -- client address
    act          TEXT    NOT NULL,                   -- login, read_case, decide, reveal...
    object       TEXT    NOT NULL DEFAULT '',        -- case number, id of person, account or page
    result       TEXT    NOT NULL DEFAULT '',        -- word or code, never a personal value
    prev         BLOB    NOT NULL,                   -- mac of the row before
    mac          BLOB    NOT NULL CHECK (length(mac) = 32),
    gmt_create   INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    gmt_modified INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
) STRICT;
CREATE INDEX audit_object ON audit (object, id);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'audit rows are only added'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'audit rows are only added'); END;
