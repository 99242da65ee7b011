/* fuzz_intranet_bodies.c - what an officer's browser sends with an action; the rest is parsed by the server's own JSON rules (fuzz_internet_bodies.c). The first byte 'c' and a family:
 * what the officer adds to the register (completion), 'v' reason and confirmation of a reversal, 's' a scan; else the body of a decision.
 * A completion that is taken has only fields that are asked for, each a text that its type allows; what is required and asked is there. A scan is of a type that is opened.
 * What must hold: refused with a finding that the answer can say, or every text is one, of the body, and the version and the flag are those of the body. */
#include <assert.h>
#include <string.h>

#include "common/text.h"
#include "common/filetype.h"
#include "intranet-side/domain/rules.h"
#define finding finding_completion
#include "intranet-side/service/completion.c"
#undef finding
#include "intranet-side/service/decision.h"
#include "intranet-side/service/reversal.h"
#define MOST_REASON MOST_REASON_REVERSAL
#define job job_reversal
#include "intranet-side/service/reversal.c"
#undef job
#include "tests/fuzz/replay.h"

static void refused(struct reply *r, const struct err *e)
{
    size_t i;
    json_t *f;
    assert(e->code == ERR_INPUT && e->msg[0] && r->zh[0] && text_length(bytes_of(r->zh)) > 0);
    json_array_foreach(r->fields, i, f) assert(json_is_string(json_object_get(f, "field")) && json_is_string(json_object_get(f, "message")));
}

/* Fields that an effect file asks for in all its stages, as the officer's dialog has them. */
static json_t *asked_fields(uint8_t family)
{
    static struct rules *rules;
    struct err e = {0};
    const char *id;
    json_t *rule, *out = NULL;
    if (!rules && rules_load(&rules, "schemas", &e) < 0)
        abort();
    size_t n = family % json_object_size(rules->effects);
    json_object_foreach(rules->effects, id, rule)
        if (n-- == 0)
            out = json_object_get(rule, "completion");
    return out ? json_deep_copy(out) : json_array();
}

static void completion(const json_t *given, uint8_t family)
{
    json_t *fields = asked_fields(family), *all = json_object(), *v, *f;
    struct reply r = {0};
    struct err e = {0};
    const char *id, *rule;
    size_t i;
    const int64_t now = 1790000000000;
    answer(all, given);
    if (given_known(fields, given, &r, &e) < 0 || fields_check(fields, all, now, &r, &e) < 0) {
        refused(&r, &e);
    } else {
        json_object_foreach(all, id, v) assert(known(fields, id) && json_is_string(v) && json_string_length(v) && text_length(bytes_of(json_string_value(v))) <= MOST_CHARACTERS);
        json_array_foreach(fields, i, f) {
            const char *value = text_of(all, text_of(f, "id"));
            assert(*value ? effect_asked(f, all) && !fault(f, value, now, &rule) : !effect_asked(f, all) || !json_is_true(json_object_get(f, "required")));
        }
    }
    reply_clear(&r);
    json_decref(fields);
    json_decref(all);
}

static void reversal(const json_t *v)
{
    const char *reason = text_of(v, "reason"), *confirm = text_of(v, "confirm_text");
    struct reply r = {0};
    struct err e = {0};
    if (words_good(reason, confirm, &r, &e) < 0)
        refused(&r, &e);
    else
        assert(strcmp(confirm, REVERSAL_CONFIRM) == 0 && text_length(bytes_of(reason)) <= 300 && reason[strspn(reason, " ")]);
    reply_clear(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2 && (data[0] == 'c' || data[0] == 'v' || data[0] == 's')) {
        const char *type = data[0] == 's' ? filetype_of((struct bytes){data + 1, size - 1}) : NULL;
        assert(!type || strcmp(type, "image/jpeg") == 0 || strcmp(type, "image/png") == 0 || strcmp(type, "application/pdf") == 0);
        json_t *body = data[0] == 's' ? NULL : json_loadb((const char *)data + 2, size - 2, JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(body) && data[0] == 'c')
            completion(body, data[1]);
        if (body && data[0] == 'v')
            reversal(body);
        json_decref(body);
        return 0;
    }
    json_t *v = size ? json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    struct decision x = {.action = NULL};
    struct reply r = {0};
    struct err e = {0};
    if (!v)
        return 0;
    if (decision_read(&x, v, &r, &e) < 0) {
        size_t i;
        json_t *f;
        assert(e.code == ERR_INPUT && e.msg[0]);
        assert(text_length(bytes_of(r.zh)) >= 0);
        json_array_foreach(r.fields, i, f) assert(json_is_string(json_object_get(f, "field")) && json_is_string(json_object_get(f, "message")));
    } else {
        const char *const texts[] = {x.action, x.opinion, x.sentence, x.rule, x.remedy, x.date, x.level, x.confirm_text};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            assert(texts[i] && text_length(bytes_of(texts[i])) >= 0);
        assert(!x.reasons || json_is_array(x.reasons));
        assert(!json_object_get(v, "version") || json_integer_value(json_object_get(v, "version")) == x.version);
    }
    reply_clear(&r);
    json_decref(v);
    return 0;
}
