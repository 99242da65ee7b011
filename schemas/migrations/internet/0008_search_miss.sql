-- Searches that found nothing, until they are carried to the intranet: words and counts, of nobody.
CREATE TABLE search_miss (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    day           TEXT    NOT NULL CHECK (length(day) = 10),                 -- Beijing
    text          TEXT    NOT NULL CHECK (length(text) BETWEEN 2 AND 40),    -- as the domain's query.h leaves it
    count         INTEGER NOT NULL CHECK (count > 0),                        -- how often that day
    gmt_create    INTEGER NOT NULL,                                          -- ms, of the row
    gmt_modified  INTEGER NOT NULL,                                          -- ms, of the last search
    UNIQUE (day, text)
) STRICT;
