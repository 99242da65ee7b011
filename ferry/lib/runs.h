/* runs.h - which start of a side gave out a number. A database that was put back to an earlier day (restored from a backup, a snapshot) gives numbers out
 * a second time in the same stream, and what the peer then acknowledges under such a number may be the other file. So each start draws a run
 * (64 random bits), each file names the run that its number was given out in, and each beat names the newest runs of the peer's files that came with
 * their lowest and highest number. A run that we do not know, or one with numbers that we did not give out in it, shows that our database was
 * put back, before anything else of that beat is believed: an acknowledgement and the run it belongs to stand in one signed file.
 * Files from before runs were kept name none. Source: FRY-14. */
#ifndef FERRY_RUNS_H
#define FERRY_RUNS_H

#include "ferry/lib/envelope.h"

struct db;
struct db_conn;

int runs_prepare(struct db *db, struct err *e);
/* All in a closure. Ours: a number was just given out by this start. */
int runs_gave(struct db_conn *c, const char *run, uint64_t number, int64_t now_ms, struct err *e);
/* The stream and the run of a file of ours, run "" before runs were kept. 1 it is open, 0 there is no such file (a resync, an acknowledgement). */
int runs_of_file(struct db_conn *c, uint64_t number, char incarnation[17], char run[17], struct err *e);
/* Does what a beat about our stream names fit what we gave out? why: "" yes, else in words. */
int runs_ours(struct db_conn *c, const struct beat *b, char why[160], struct err *e);
/* The peer's: a file came; a beat is to name what came. */
int runs_heard(struct db_conn *c, const struct envelope_head *h, int64_t now_ms, struct err *e);
int runs_say(struct db_conn *c, const char *incarnation, struct beat *b, struct err *e);

#endif
