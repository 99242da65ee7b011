/* change.h - sets of changes of the configuration, and who wrote them.
 * Owns: nothing. Threads: inside a closure. The two-person rule stands in the tables too: a release by an author is ERR_CONFLICT. */
#ifndef INTRANET_STORE_CHANGE_H
#define INTRANET_STORE_CHANGE_H

#include <jansson.h>

#include "common/db.h"

struct change_set {
    int64_t id, version, restores, edited_at, submitted_at, decided_at, released;     /* released 0: not */
    char uid[33], state[12], source[12], record[33], edited_by[33], submitted_by[33], decided_by[33];     /* "" where nobody */
    char edited_name[128], submitted_name[128], decided_name[128];    /* when read */
    char title[256], reason[1024], answer[1024], wish[4096];
    json_t *changes, *words;             /* new references; change_clear */
};
void change_clear(struct change_set *s);

int change_add(struct db_conn *c, const struct change_set *s, struct err *e);
int change_get(struct db_conn *c, const char *uid, struct change_set *out, struct err *e);           /* ERR_MISSING */
bool change_by_record(struct db_conn *c, const char *record);
/* Write the row back and count its version up. ERR_CONFLICT: its version is no longer s->version, or the two persons are one. */
int change_save(struct db_conn *c, const struct change_set *s, struct err *e);
int change_author_add(struct db_conn *c, const char *uid, const char *officer, struct err *e);       /* again changes nothing */
int change_author_is(bool *yes, struct db_conn *c, const char *uid, const char *officer, struct err *e);

typedef int (*change_fn)(const struct change_set *s, void *arg, struct err *e);
int change_each_open(struct db_conn *c, change_fn fn, void *arg, struct err *e);                     /* drafts and submitted, newest first */
int change_each_done(struct db_conn *c, int64_t most, change_fn fn, void *arg, struct err *e);       /* released, dropped, declined, newest first */
/* Released up to this version (0: all), oldest first: what the overrides are folded from. */
int change_each_released(struct db_conn *c, int64_t up_to, change_fn fn, void *arg, struct err *e);
struct change_counts { int64_t drafts, submitted, wishes; };      /* wishes: drafts from the other side that nobody took up */
int change_count(struct db_conn *c, struct change_counts *out, struct err *e);

typedef int (*version_fn)(int64_t version, int64_t published, const char *hash, void *arg, struct err *e);
int version_each(struct db_conn *c, int64_t most, version_fn fn, void *arg, struct err *e);          /* newest first */

extern const struct db_statements change_statements;

#endif
