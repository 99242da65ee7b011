#include "internet-side/service/numbers.h"

#include <pthread.h>
#include <stdlib.h>

#include "internet-side/store/guard.h"

#define BLOCK 100u

struct numbers {
    pthread_mutex_t lock;
    struct db *db;
    int month;
    uint32_t next, last;             /* next > last: the block is used up */
};
struct wish { int month; int64_t now_ms; uint32_t last; };

int numbers_open(struct numbers **out, struct db *db, struct err *e)
{
    struct numbers *n = calloc(1, sizeof *n);
    if (!n)
        return err_set(e, ERR_FULL, "numbers: no memory");
    pthread_mutex_init(&n->lock, NULL);
    n->db = db;
    n->month = -1;
    n->next = 1;
    *out = n;
    return 0;
}

void numbers_close(struct numbers *n)
{
    if (n)
        pthread_mutex_destroy(&n->lock);
    free(n);
}

void numbers_forget(struct numbers *n)
{
    pthread_mutex_lock(&n->lock);
    n->month = -1;
    pthread_mutex_unlock(&n->lock);
}

static int reserve(struct db_conn *c, void *arg, struct err *e)
{
    struct wish *w = arg;
    return serial_reserve(&w->last, c, w->month, BLOCK, w->now_ms, e);
}

int numbers_next(struct case_no *out, struct numbers *n, int64_t now_ms, struct err *e)
{
    struct wish w = { case_no_month(clock_beijing_date(now_ms)), now_ms, 0 };
    int rc = 0;
    pthread_mutex_lock(&n->lock);
    if (w.month != n->month || n->next > n->last) {
        rc = db_write(n->db, reserve, &w, e);
        if (rc == 0) {
            n->month = w.month;
            n->last = w.last;
            n->next = w.last - BLOCK + 1;
        }
    }
    if (rc == 0)
        case_no_make(out, n->month, n->next++);
    pthread_mutex_unlock(&n->lock);
    return rc;
}
