/* caller.c - our half of an outgoing call: names, bounds, frames. The other half is caller/main.c. */
#include "common/caller.h"

#include <stdlib.h>
#include <string.h>

#include "common/caller_frame.h"

struct caller {
    struct child_pool *pool;
    char name[CALLER_BASES_MAX][CALLER_BASE_MAX + 1];
    size_t n;
};

static int take_names(struct caller *c, const char *const *bases, struct err *e)
{
    for (; *bases; bases++) {
        size_t n = strcspn(*bases, "=");
        if (c->n == CALLER_BASES_MAX || n == 0 || n > CALLER_BASE_MAX || (*bases)[n] != '=')
            return err_set(e, ERR_INPUT, "caller: want at most %d name=url, number %zu is not one", CALLER_BASES_MAX, c->n + 1);
        memcpy(c->name[c->n++], *bases, n);
    }
    return 0;
}

int caller_open(struct caller **out, const char *program, const char *const *bases, unsigned n, struct err *e)
{
    struct caller *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return err_set(e, ERR_INTERNAL, "caller: out of memory");
    struct child_options opt = {
        .path = program, .argv = bases, .n = n ? n : 1, .max_answer = CALLER_ANSWER_MAX + 64, .deadline_ms = CALLER_DEADLINE_MAX_MS + 2000,
        .max_calls = 1000, .clean_env = true,
    };
    if (take_names(c, bases, e) < 0 || (c->n && child_pool_open(&c->pool, &opt, e) < 0)) {
        free(c);
        return -1;
    }
    *out = c;
    return 0;
}

void caller_close(struct caller *c)
{
    if (!c)
        return;
    if (c->pool)
        child_pool_close(c->pool);
    free(c);
}

static int find_base(const struct caller *c, const char *base, struct err *e)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->name[i], base) == 0)
            return 0;
    return err_set(e, ERR_UNAVAILABLE, "caller %s: switched off", base);
}

static void put_request(struct buf *b, const char *base, const char *path, struct bytes json, unsigned deadline_ms)
{
    size_t nb = strlen(base), np = strlen(path);
    buf_u32(b, deadline_ms);
    buf_u8(b, (uint8_t)nb);
    buf_put(b, base, nb);
    buf_u16(b, (uint16_t)np);
    buf_put(b, path, np);
    buf_put(b, json.p, json.n);
}

static int take_answer(int *status, struct buf *answer, const struct buf *frame, struct err *e)
{
    struct cursor cur = {.in = buf_bytes(frame)};
    *status = cur_u16(&cur);
    struct bytes body = cur_take(&cur, cur.bad ? 0 : frame->n - cur.at);
    if (cur.bad)
        return err_set(e, ERR_UNAVAILABLE, "caller: helper answered %zu bytes", frame->n);
    if (*status >= 500)
        return err_set(e, ERR_UNAVAILABLE, "outside system answered %d", *status);
    buf_put(answer, body.p, body.n);
    return buf_done(answer, "answer of an outside system", e);
}

int caller_post(struct caller *c, const char *base, const char *path, struct bytes json, unsigned deadline_ms, int *status, struct buf *answer,
                struct err *e)
{
    struct buf request, frame;
    struct err why = {0};
    *status = 0;
    if (find_base(c, base, e) < 0)
        return -1;
    if (path[0] != '/' || strlen(path) > CALLER_PATH_MAX || json.n > CALLER_REQUEST_MAX)
        return err_set(e, ERR_INPUT, "caller %s: want a path of at most %d bytes and at most %d bytes of JSON", base, CALLER_PATH_MAX, CALLER_REQUEST_MAX);
    buf_init(&request, CALLER_REQUEST_MAX + 1024);
    buf_init(&frame, CALLER_ANSWER_MAX + 64);
    put_request(&request, base, path, json, deadline_ms == 0 || deadline_ms > CALLER_DEADLINE_MAX_MS ? CALLER_DEADLINE_MAX_MS : deadline_ms);
    int rc = buf_done(&request, "request", &why);
    if (rc == 0)
        rc = child_call(c->pool, buf_bytes(&request), &frame, &why);
    if (rc == 0)
        rc = take_answer(status, answer, &frame, &why);
    if (rc < 0)                  /* a helper that died is an outside system that did not answer */
        err_set(e, why.code == ERR_HELD ? ERR_UNAVAILABLE : why.code, "caller %s: %s", base, why.msg);
    buf_wipe(&request);
    buf_wipe(&frame);
    return rc;
}
