/* fuzz_internet_bodies.c - what a browser sends to the citizens' service. The first byte picks the use: 'c' draft to be checked, 's' submitted, 'x' supplement, 'u' begin of an
 * upload, 'i' identity check, 'q' words that found nothing (the rest is the text itself), anything else JSON alone; the rest is the body, which goes through the server's own JSON rules first.
 * What must hold: JSON deeper than the bound is refused before it is parsed, what is accepted is no deeper and is written and read again as the same; a refusal names a member
 * that the answer can say, or has a sentence; what is accepted is just what the body says. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/http_request.c"
#include "common/text.h"
#include "internet-side/domain/draft.h"
#include "internet-side/domain/query.h"
#define refuse_field refuse_upload_field
#include "internet-side/service/uploads.c"
#undef refuse_field
#define refuse_field refuse_identity_field
#define parse parse_identity
#include "internet-side/service/identity.c"
#undef refuse_field
#undef parse
#include "tests/fuzz/replay.h"

static size_t depth_of(const json_t *v)
{
    const char *key;
    size_t i, most = 0, below;
    json_t *x;
    json_object_foreach((json_t *)v, key, x) most = (below = depth_of(x)) > most ? below : most;
    json_array_foreach(v, i, x) most = (below = depth_of(x)) > most ? below : most;
    return most + (json_is_object(v) || json_is_array(v));
}

static json_t *body_of(struct bytes in)
{
    struct request rq = {.body = (uint8_t *)in.p, .body_n = in.n};
    struct err e = {0};
    if (parse_json(&rq, &e) < 0) {
        assert(e.code == ERR_INPUT && e.msg[0] && !rq.json);
        json_t *v = memchr(in.p, 0, in.n) || strstr(e.msg, "levels") ? NULL : json_loadb((const char *)in.p, in.n, JSON_REJECT_DUPLICATES, NULL);
        assert(!v);
        return NULL;
    }
    assert(depth_of(rq.json) <= JSON_DEPTH);
    return rq.json;
}

static void again(const json_t *v)
{
    char *text = json_dumps(v, JSON_COMPACT);
    json_t *same = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    assert(same && json_equal(same, (json_t *)v));
    json_decref(same);
    free(text);
}

static void draft(const json_t *body, enum draft_shape shape)
{
    struct draft d;
    struct err e = {0};
    char field[48] = "";
    if (draft_parse(&d, body, shape, field, &e) < 0) {
        assert(e.code == ERR_INPUT && e.msg[0] && text_length(bytes_of(field)) >= 0);
    } else {
        assert(d.n_slots <= DRAFT_MAX_SLOTS && d.n_untypeable <= DRAFT_MAX_UNTYPEABLE && json_is_object(d.entries));
        for (size_t i = 0; i < d.n_slots; i++) {
            assert(d.slots[i].n <= DRAFT_MAX_PAGES && d.slots[i].no >= 0 && d.slots[i].no <= 99);
            for (size_t k = 0; k < d.slots[i].n; k++)
                assert(id_valid(d.slots[i].pages[k].s));
        }
        for (size_t i = 0; i < d.n_untypeable; i++)
            assert(id_valid(d.untypeable[i].page.s) && d.untypeable[i].field && d.untypeable[i].pinyin);
    }
    draft_clear(&d);
}

static void check_reply(struct reply *r, const struct err *e)
{
    size_t i;
    json_t *f;
    assert((e->code == ERR_INPUT || e->code == ERR_TOO_LARGE) && e->msg[0] && r->zh[0] && text_length(bytes_of(r->zh)) > 0);
    json_array_foreach(r->fields, i, f) assert(json_is_string(json_object_get(f, "field")) && json_is_string(json_object_get(f, "message")));
    reply_clear(r);
}

static void upload(const json_t *body)
{
    struct upload u = {.size = 0};
    struct reply r = {0};
    struct err e = {0};
    if (parse_begin(&u, body, &r, &e) < 0) {
        check_reply(&r, &e);
        return;
    }
    assert(json_integer_value(json_object_get(body, "material")) == u.material && json_integer_value(json_object_get(body, "size")) == u.size);
    assert(u.size >= 1 && u.size <= UPLOAD_MAX && u.material >= 0 && u.material <= 99 && id_valid(u.draft.s) && u.type[0]);
}

static void identity(const json_t *body)
{
    struct core c = {.sandbox = true};
    struct ask a = {.hash = NULL};
    struct reply r = {0};
    struct err e = {0};
    buf_init(&a.name, 4096);
    buf_init(&a.id_no, 4096);
    if (parse_identity(&a, &c, body, 1790000000000, &r, &e) < 0)
        check_reply(&r, &e);
    else
        assert(strlen(a.hash) == 64 && a.name.n && a.name.n <= 255 && a.id_no.n == 18 && text_fault_of(buf_bytes(&a.name)) == TEXT_OK);
    buf_wipe(&a.name);
    buf_wipe(&a.id_no);
}

/* What is kept of a search is short, plain, has no number that may be somebody's and no address of a mailbox, and is kept as the same when it comes again. */
static void query(struct bytes text)
{
    struct buf out, same;
    buf_init(&out, 4096);
    buf_init(&same, 4096);
    if (query_clean(&out, text)) {
        const char *s = buf_text(&out);
        const long n = text_length(bytes_of(s));
        assert(n >= 2 && n <= QUERY_MAX && text_fault_of(bytes_of(s)) == TEXT_OK && !strpbrk(s, "@=+-,\"'<>&"));
        for (const char *p = s; *p; p++)
            assert(strspn(p, "0123456789") < 6);
        if (query_clean(&same, bytes_of(s)))
            assert(strcmp(buf_text(&same), s) == 0);
    }
    buf_clear(&out);
    buf_clear(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 && data[0] == 'q') {
        query((struct bytes){data + 1, size - 1});
        return 0;
    }
    json_t *v = size < 2 ? NULL : body_of((struct bytes){data + 1, size - 1});
    if (!v)
        return 0;
    switch (data[0]) {
    case 'c': draft(v, DRAFT_CHECK); break;
    case 's': draft(v, DRAFT_SUBMIT); break;
    case 'x': draft(v, DRAFT_SUPPLEMENT); break;
    case 'u': upload(v); break;
    case 'i': identity(v); break;
    default: again(v); break;
    }
    json_decref(v);
    return 0;
}
