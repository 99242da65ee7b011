#include "intranet-side/service/messenger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/case.h"

enum { AT_ONCE = 20, DEADLINE_MS = 5000, MOST_ATTEMPTS = 28 };

struct job { struct core *c; struct sms m; char phone[32]; const char *state; int64_t now, next; bool none; };

static int64_t wait_s(int64_t attempts)
{
    static const int64_t waits[] = {5, 30, 120, 600};
    return attempts < 4 ? waits[attempts] : 3600;
}

static int read_next(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    struct err mine = {0};
    struct case_sealed s = {0};
    struct buf plain;
    char place[96];
    if (sms_next(conn, j->now, &j->m, &mine) < 0) {
        j->none = mine.code == ERR_MISSING;
        return j->none ? 0 : err_set(e, mine.code, "%s", mine.msg);
    }
    buf_init(&plain, 4096);
    snprintf(place, sizeof place, "case_file/phone_sealed/%s", j->m.case_no);
    int rc = j->m.phone_sealed.n ? 0 : case_get_sealed(conn, j->m.case_no, &s, e);
    if (rc == 0)
        rc = vault_unseal(&plain, j->c->vault, place, j->m.phone_sealed.n ? buf_bytes(&j->m.phone_sealed) : buf_bytes(&s.phone), e);
    if (rc == 0)
        rc = str_fmt(j->phone, sizeof j->phone, e, "%s", buf_text(&plain));
    case_sealed_clear(&s);
    buf_wipe(&plain);
    return rc;
}

static int result_write(struct db_conn *conn, void *arg, struct err *e)
{
    struct job *j = arg;
    return sms_result(conn, j->m.uid, j->state, j->next, strcmp(j->state, "sent") == 0 ? j->now : 0, e);
}

static int call(struct job *j, struct err *e)
{
    struct buf answer;
    char at[24];
    int status = 0;
    time_text(at, j->now);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "to", j->phone, "text", j->m.text, "at", at, "id", j->m.uid);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (text == NULL)
        return err_set(e, ERR_INTERNAL, "sms: out of memory");
    buf_init(&answer, 1 << 16);
    int rc = caller_post(j->c->caller, "sms", "/sms", bytes_of(text), DEADLINE_MS, &status, &answer, e);
    if (rc == 0 && (status < 200 || status > 299))
        rc = err_set(e, ERR_UNAVAILABLE, "sms: platform answered %d", status);
    explicit_bzero(text, strlen(text));
    free(text);
    buf_clear(&answer);
    return rc;
}

static int one(struct core *c, int64_t now_ms, bool *none, struct err *e)
{
    struct job j = {.c = c, .now = now_ms};
    struct err mine = {0};
    int rc = db_read(c->db, read_next, &j, e);
    *none = j.none;
    if (rc == 0 && !j.none) {
        if (call(&j, &mine) == 0) {
            j.state = "sent";
        } else {
            j.state = j.m.attempts + 1 >= MOST_ATTEMPTS ? "failed" : "queued";
            j.next = now_ms + wait_s(j.m.attempts) * 1000;
            log_event(strcmp(j.state, "failed") == 0 ? LOG_ERROR : LOG_WARN, "sms_not_sent", "id %s case %s attempts %lld why %s", j.m.uid, j.m.case_no,
                      (long long)(j.m.attempts + 1), mine.msg);
        }
        rc = db_write(c->db, result_write, &j, e);
    }
    explicit_bzero(j.phone, sizeof j.phone);
    sms_clear(&j.m);
    return rc;
}

int messenger_once(struct core *c, int64_t now_ms, struct err *e)
{
    bool none = c->caller == NULL;
    for (int i = 0; i < AT_ONCE && !none; i++)
        if (one(c, now_ms, &none, e) < 0)
            return -1;
    return 0;
}
