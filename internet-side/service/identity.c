#include "internet-side/service/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/idnumber.h"
#include "common/text.h"
#include "internet-side/service/limiter.h"
#include "internet-side/service/session.h"

#define DEADLINE_MS 5000
#define STATEMENT_MAX 1500           /* bytes of JSON: as base64 it fits the record's 2000 characters */

struct ask { const char *hash, *face, *wish; struct buf name, id_no; };

static int refuse_field(struct reply *r, struct err *e, const char *field, const char *rule, const char *zh)
{
    reply_field(r, field, rule, zh);
    return reply_refuse(r, e, ERR_INPUT, rule, "%s", zh);
}

static int parse(struct ask *a, struct core *c, const json_t *body, int64_t now_ms, struct reply *r, struct err *e)
{
    static const char *const known[] = { "hash", "name", "id_no", "face", "sandbox_result" };
    const char *name, *id_no, *key;
    struct hash256 h;
    json_t *v;
    json_object_foreach((json_t *)body, key, v) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], key) != 0)
            i++;
        if (i == sizeof known / sizeof *known || !json_is_string(v))
            return refuse_field(r, e, key, "unknown", "多了一项不认识的内容，请刷新后重试");
    }
    if (json_unpack((json_t *)body, "{s:s, s:s, s:s, s?s, s?s}", "hash", &a->hash, "name", &name, "id_no", &id_no, "face", &a->face, "sandbox_result",
                    &a->wish) < 0)
        return reply_refuse(r, e, ERR_INPUT, "identity: want hash, name, id_no", "核验没有开始，请刷新后重试");
    if (hash_parse(&h, a->hash) < 0)
        return refuse_field(r, e, "hash", "pattern", "请先检查填写的内容");
    if (a->wish && (!c->sandbox || (strcmp(a->wish, "pass") != 0 && strcmp(a->wish, "fail") != 0)))
        return refuse_field(r, e, "sandbox_result", "unknown", "多了一项不认识的内容，请刷新后重试");
    text_normalise(&a->name, bytes_of(name), TEXT_NAME);
    text_normalise(&a->id_no, bytes_of(id_no), TEXT_ID);
    if (a->name.n == 0 || a->name.n > 255 || !text_is_name(buf_bytes(&a->name)))
        return refuse_field(r, e, "name", "pattern", "请填写身份证上的姓名");
    const enum id_fault fault = id_number_parse(NULL, buf_text(&a->id_no), a->id_no.n, clock_beijing_date(now_ms));
    if (fault != ID_OK)
        return refuse_field(r, e, "id_no", id_fault_rule(fault), fault == ID_LENGTH ? "身份证号应是 18 位，请核对" : "身份证号不对，请核对");
    return 0;
}

static int ask_provider(struct buf *answer, struct core *c, const struct ask *a, struct err *e)
{
    int status = 0;
    if (!c->caller)
        return err_set(e, ERR_UNAVAILABLE, "identity: switched off");
    json_t *body = json_pack("{s:s, s:s, s:s}", "hash", a->hash, "name", buf_text(&a->name), "id_no", buf_text(&a->id_no));
    if (a->face)
        json_object_set_new(body, "face", json_string(a->face));
    if (a->wish)
        json_object_set_new(body, "sandbox_result", json_string(a->wish));
    char *json = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int rc = json ? caller_post(c->caller, "identity", "/identity/verify", bytes_of(json), DEADLINE_MS, &status, answer, e)
                  : err_set(e, ERR_FULL, "identity: no memory");
    if (rc == 0 && status != 200)
        rc = err_set(e, ERR_UNAVAILABLE, "identity: want status 200, have %d", status);
    if (json)
        explicit_bzero(json, strlen(json));
    free(json);
    json_decref(body);
    return rc;
}

/* The statement must speak of exactly this person, this content and now; its signature is judged on the intranet. */
static int read_statement(struct evidence *v, bool *passed, const struct ask *a, int64_t now_ms, struct err *e)
{
    struct buf raw;
    const char *name, *id_no, *result, *bound, *expires;
    int rc = -1;
    buf_init(&raw, STATEMENT_MAX);
    json_t *j = base64_get(&raw, bytes_of(v->statement)) == 0 && !raw.bad ? json_loadb((const char *)raw.p, raw.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_unpack(j, "{s:s, s:s, s:s, s:s, s:s}", "name", &name, "id_no", &id_no, "result", &result, "bound", &bound, "expires", &expires) < 0)
        err_set(e, ERR_UNAVAILABLE, "identity: statement: want name, id_no, result, bound, expires");
    else if (strcmp(name, buf_text(&a->name)) != 0 || strcmp(id_no, buf_text(&a->id_no)) != 0 || strcmp(bound, a->hash) != 0)
        err_set(e, ERR_UNAVAILABLE, "identity: statement speaks of something else");
    else if (clock_parse_rfc3339(&v->expires_ms, expires, e) == 0) {
        *passed = strcmp(result, "pass") == 0 && v->expires_ms > now_ms;
        snprintf(v->name, sizeof v->name, "%s", name);
        snprintf(v->id_no, sizeof v->id_no, "%s", id_no);
        rc = hash_parse(&v->bound, bound);
    }
    json_decref(j);
    buf_wipe(&raw);
    return rc;
}

static int read_answer(struct evidence *v, bool *passed, const struct ask *a, const struct buf *answer, int64_t now_ms, struct err *e)
{
    const char *statement, *signature;
    json_t *j = json_loadb((const char *)answer->p, answer->n, JSON_REJECT_DUPLICATES, NULL);
    int rc = -1;
    if (json_unpack(j, "{s:s, s:s}", "statement", &statement, "signature", &signature) < 0)
        err_set(e, ERR_UNAVAILABLE, "identity: answer: want statement and signature");
    else if (strlen(statement) > 2000 || strlen(signature) > 120)
        err_set(e, ERR_UNAVAILABLE, "identity: answer is longer than a record carries");
    else {
        snprintf(v->statement, sizeof v->statement, "%s", statement);
        snprintf(v->signature, sizeof v->signature, "%s", signature);
        rc = read_statement(v, passed, a, now_ms, e);
    }
    json_decref(j);
    return rc;
}

/* A failure counts; at the third the attempts end for a while. */
static int failed(struct core *c, struct bytes account, int64_t now_ms, struct reply *r, struct err *e)
{
    limiter_take(c->limiter, LIMIT_VERIFY_FAILED, account, now_ms);
    r->has_tries = true;
    r->tries_left = (int)limiter_left(c->limiter, LIMIT_VERIFY_FAILED, account, now_ms);
    if (r->tries_left == 0)
        r->retry_s = limiter_wait(c->limiter, LIMIT_VERIFY_FAILED, account, now_ms);
    return reply_refuse(r, e, ERR_DENIED, "identity: not passed", r->tries_left ? "刷脸没通过，请在光线好的地方再试一次"
                                                                                : "刷脸没通过，可稍后再试，或带身份证到窗口核验，填好的内容保留");
}

static int verify(struct ask *a, struct core *c, struct session *s, int64_t now_ms, struct reply *r, struct err *e)
{
    const struct bytes account = { session_account(s)->b, 32 };
    struct evidence v = {0};
    struct buf answer;
    bool passed = false;
    char expires[21];
    buf_init(&answer, 65536);
    int rc = ask_provider(&answer, c, a, e);
    if (rc == 0)
        rc = read_answer(&v, &passed, a, &answer, now_ms, e);
    buf_wipe(&answer);
    if (rc < 0) {
        snprintf(r->zh, sizeof r->zh, "身份核验暂时用不了，请稍后再试，或带身份证到窗口核验，填好的内容保留");
    } else if (!passed) {
        rc = failed(c, account, now_ms, r, e);
    } else {
        id_random(&v.id);
        session_put_evidence(s, &v);
        limiter_forget(c->limiter, LIMIT_VERIFY_FAILED, account);
        clock_rfc3339(expires, v.expires_ms);
        r->body = json_pack("{s:s, s:s}", "evidence", v.id.s, "expires", expires);
    }
    explicit_bzero(&v, sizeof v);
    return rc;
}

int identity_verify(struct core *c, struct session *s, const json_t *body, int64_t now_ms, struct reply *r, struct err *e)
{
    const struct bytes account = { session_account(s)->b, 32 };
    struct ask a = {0};
    int rc = -1;
    buf_init(&a.name, 1024);
    buf_init(&a.id_no, 256);
    unsigned wait = limiter_wait(c->limiter, LIMIT_VERIFY_FAILED, account, now_ms);
    if (wait) {
        r->retry_s = wait;
        reply_refuse(r, e, ERR_BUSY, "identity: three failures", "刷脸没通过，可 %u 分钟后再试，或带身份证到窗口核验，填好的内容保留", (wait + 59) / 60);
    } else if (parse(&a, c, body, now_ms, r, e) == 0) {
        wait = limiter_take(c->limiter, LIMIT_VERIFY, account, now_ms);
        rc = wait ? reply_busy(r, e, "identity: too often", wait) : verify(&a, c, s, now_ms, r, e);
    }
    buf_wipe(&a.name);
    buf_wipe(&a.id_no);
    return rc;
}
