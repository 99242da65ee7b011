-- What citizens searched for and did not find, as the internet side carries it once a day: words and counts, of nobody.
CREATE TABLE search_report (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    day           TEXT    NOT NULL CHECK (length(day) = 10),                 -- Beijing, when it was searched
    text          TEXT    NOT NULL CHECK (length(text) BETWEEN 2 AND 40),    -- the words
    count         INTEGER NOT NULL CHECK (count > 0),                        -- how often that day; further records of the day add up
    gmt_create    INTEGER NOT NULL DEFAULT (unixepoch() * 1000),             -- ms, of the row
    gmt_modified  INTEGER NOT NULL DEFAULT (unixepoch() * 1000),             -- ms, of the last record
    UNIQUE (day, text)
) STRICT;
