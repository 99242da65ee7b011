/* reply.c - answers in words, and hashes under the pepper. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "internet-side/service/core.h"

void reply_clear(struct reply *r)
{
    json_decref(r->body);
    json_decref(r->fields);
    *r = (struct reply){0};
}

int reply_refuse(struct reply *r, struct err *e, enum err_code code, const char *why, const char *zh_fmt, ...)
{
    va_list ap;
    va_start(ap, zh_fmt);
    vsnprintf(r->zh, sizeof r->zh, zh_fmt, ap);
    va_end(ap);
    text_mend(r->zh, '?');
    return err_set(e, code, "%s", why);
}

int reply_busy(struct reply *r, struct err *e, const char *why, unsigned retry_s)
{
    r->retry_s = retry_s ? retry_s : 1;
    if (r->retry_s <= 120)
        return reply_refuse(r, e, ERR_BUSY, why, "请 %u 秒后再试", r->retry_s);
    return reply_refuse(r, e, ERR_BUSY, why, "操作太频繁，请约 %u 分钟后再试", (r->retry_s + 59) / 60);
}

void reply_field(struct reply *r, const char *field, const char *rule, const char *message)
{
    if (!r->fields)
        r->fields = json_array();
    json_array_append_new(r->fields, json_pack("{s:s, s:s, s:s}", "field", field, "rule", rule, "message", message));
}

void core_hash(struct hash256 *out, const struct core *c, const char *purpose, struct bytes in)
{
    secret_hash(out, c->pepper, purpose, in);
}

void core_hash_account(struct hash256 *out, const struct core *c, const char *purpose, const struct hash256 *account, struct bytes in)
{
    struct buf b;
    buf_init(&b, 0);
    buf_put(&b, account->b, sizeof account->b);
    buf_put(&b, in.p, in.n);
    secret_hash(out, c->pepper, purpose, buf_bytes(&b));
    buf_wipe(&b);
}
