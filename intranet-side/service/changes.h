/* changes.h - what changed, in memory: what /api/changes answers from without asking the database.
 * Owns:    a ring of the last changes and the counts last read for each viewer; nothing of it survives a restart (seq then starts anew
 *          above every earlier one, because it starts from the clock).
 * Threads: safe, one lock held for microseconds. */
#ifndef INTRANET_SERVICE_CHANGES_H
#define INTRANET_SERVICE_CHANGES_H

#include "intranet-side/store/case.h"

struct changes;
enum change_kind { CHANGE_NEW, CHANGE_CHANGED, CHANGE_GONE };
int changes_open(struct changes **out, int64_t now_ms, struct err *e);
void changes_close(struct changes *c);
void changes_note(struct changes *c, const struct case_file *f, enum change_kind kind);
/* The same from inside a transaction: shown by the next changes_flush, which first waits until everything written so far is committed, so that
 * nobody is told of a row that he cannot read yet. */
void changes_hold(struct changes *c, const struct case_file *f, enum change_kind kind);
void changes_flush(struct changes *c, struct db *db);
uint64_t changes_seq(struct changes *c);

struct change { uint64_t seq; char no[17]; enum change_kind kind; };
/* Changes after `since` of cases whose station (scope 1) or sub-bureau (scope 2) is `unit`, each case once with its newest kind, at most cap.
 * *whole is false when the ring no longer reaches back to since: the viewer reads its list again. */
size_t changes_since(struct changes *c, uint64_t since, int scope, const char *unit, struct change *out, size_t cap, bool *whole);
/* Counts read at this unit's last change for this officer and day; false: read them and put them. */
bool changes_counts_get(struct changes *c, const char *officer, const char *unit, const char *day, struct case_counts *out);
void changes_counts_put(struct changes *c, const char *officer, const char *day, uint64_t seq, const struct case_counts *v);

#endif
