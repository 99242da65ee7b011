-- Which start of a side gave out a number: a database that was put back to an earlier day is known by it (ferry/lib/runs.h).

-- Our own starts, each with the first number that it gave out. One that formed no file has no row.
CREATE TABLE out_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation TEXT NOT NULL CHECK (length(incarnation) = 16),      -- our stream
    run TEXT NOT NULL CHECK (length(run) = 16),                      -- 64 random bits, drawn at the start
    first INTEGER NOT NULL CHECK (first >= 1),                       -- its first number there
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0,                         -- when the row was changed last
    UNIQUE (incarnation, run)
) STRICT;
CREATE INDEX out_run_first ON out_run (incarnation, first);

-- The peer's starts whose files came, each with the lowest and the highest number of them.
CREATE TABLE in_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation TEXT NOT NULL CHECK (length(incarnation) = 16),      -- the peer's stream
    run TEXT NOT NULL CHECK (length(run) = 16),                      -- the start, as the files say it
    low INTEGER NOT NULL CHECK (low >= 1),                           -- lowest number that came
    high INTEGER NOT NULL CHECK (high >= low),                       -- highest
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0,                         -- when the row was changed last
    UNIQUE (incarnation, run)
) STRICT;
