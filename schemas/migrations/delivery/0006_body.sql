-- The sealed bytes of an outgoing item stand beside its row: what is asked and noted of an item while it travels (placed, sent, acknowledged, how old) reads and
-- writes a hundred bytes and not kilobytes. With 100,000 records waiting, status and sender read every page of the table for it before.
CREATE TABLE out_body (
    id INTEGER PRIMARY KEY REFERENCES out_item (id) ON DELETE CASCADE, -- the item
    sealed BLOB NOT NULL CHECK (length(sealed) > 0),                 -- sealed bytes; no row when they lie in the spool, or are needed no more
    gmt_create INTEGER NOT NULL DEFAULT 0,                           -- when the row was made
    gmt_modified INTEGER NOT NULL DEFAULT 0                          -- when the row was changed last
) STRICT;
INSERT INTO out_body(id, sealed, gmt_create, gmt_modified) SELECT id, sealed, gmt_create, gmt_modified FROM out_item WHERE length(sealed) > 0;
ALTER TABLE out_item DROP COLUMN sealed;

-- The oldest record that is not acknowledged: asked every two seconds.
CREATE INDEX out_item_oldest ON out_item (gmt_create) WHERE acked_ms = 0 AND bulk = 0;
