-- Reversal of a finished case (POP-61): when it was taken back. What it did to the register went back through register_event.

ALTER TABLE case_file ADD COLUMN reversed INTEGER NOT NULL DEFAULT 0;      -- ms; 0 = it stands
