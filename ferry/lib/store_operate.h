/* store_operate.h - the SQL behind the operator's verbs and the resync. All run inside a closure; `rows` gets one object a row. */
#ifndef FERRY_STORE_OPERATE_H
#define FERRY_STORE_OPERATE_H

#include <jansson.h>

#include "ferry/lib/delivery.h"

int operate_prepare(struct db *db, struct err *e);

/* --- verbs --- */
/* what: open (held, waiting, refused), held, out, files. ERR_INPUT: another word. */
int operate_list(struct db_conn *c, const char *what, int64_t max, int64_t now_ms, json_t *rows, struct err *e);
int operate_show(struct db_conn *c, const char *id_or_case, int64_t now_ms, json_t *rows, struct err *e);
int operate_drain(struct db_conn *c, bool on, int64_t now_ms, struct err *e);

/* --- compliance --- */
/* A retained record was confirmed: count it into its day (Beijing). acked_ms 0: never acknowledged before. */
int operate_crossed(struct db_conn *c, int64_t created_ms, int64_t acked_ms, int64_t now_ms, struct err *e);
/* Of today (Beijing): what was confirmed, and what is older than 5 or 10 minutes and is not. */
int operate_crossing(struct db_conn *c, int64_t now_ms, struct crossing *out, struct err *e);

/* --- the stream's state --- */
struct stream_state { char state[12], token[33]; int64_t since_ms; uint64_t part; bool drained; };
int operate_state(struct db_conn *c, struct stream_state *out, struct err *e);
/* token and part as they are to stand. */
int operate_set_state(struct db_conn *c, const char *state, const char *token, uint64_t part, int64_t now_ms, struct err *e);
/* Our database was put back: only a resync ends it, one that the operator asked for and that has not begun yet. One under way in this stream was begun
 * by a database that is gone. */
int operate_stop(struct db_conn *c, int64_t now_ms, struct err *e);

/* --- resync --- */
/* A new incarnation counted from 1; what was not confirmed or not acknowledged is queued again. */
int operate_new_stream(struct db_conn *c, const char *incarnation, int64_t now_ms, struct err *e);
struct case_places { char no[17]; uint64_t in, out; };
/* What we know of cases above `from` and up to `to` ("" = no end), in order of their numbers, at most max. */
int operate_cases(struct db_conn *c, const char *from, const char *to, struct case_places *out, size_t max, size_t *n, struct err *e);
/* Queue again what is kept of the case above `in` and whatever is retained of it. */
int operate_requeue(struct db_conn *c, const char *no, uint64_t in, int64_t now_ms, struct err *e);
struct place_range { uint64_t from, to; };
/* Places in (above, upto] of which no record is kept, as ranges, at most max. ERR_TOO_LARGE: more. */
int operate_gaps(struct db_conn *c, const char *no, uint64_t above, uint64_t upto, struct place_range *out, size_t max, size_t *n, struct err *e);
/* Below which number of our stream nothing will be sent any more; highest case number ever seen. */
int operate_floor(struct db_conn *c, uint64_t *floor, struct err *e);
int operate_top(struct db_conn *c, char no[17], struct err *e);
int operate_gone(struct db_conn *c, const char *no, struct place_range r, int64_t now_ms, struct err *e);
/* From `settled` on over places that are gone; *settled gets the last of them. */
int operate_skip_gone(struct db_conn *c, const char *no, uint64_t *settled, struct err *e);
/* Our next place of the case is above `least`. *raised: it was not. */
int operate_raise_out(struct db_conn *c, const char *no, uint64_t least, bool *raised, int64_t now_ms, struct err *e);
int operate_raise_floor(struct db_conn *c, const char *incarnation, uint64_t floor, int64_t now_ms, struct err *e);
int operate_ahead(struct db_conn *c, const char *no, int64_t now_ms, struct err *e);
/* One case whose state is to be said anew, taken out of the list. 1 one, 0 none. */
int operate_ahead_next(struct db_conn *c, char no[17], struct err *e);

#endif
