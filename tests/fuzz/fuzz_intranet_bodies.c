/* fuzz_intranet_bodies.c - what an officer's browser sends with an action; the rest is parsed by the server's own JSON rules (fuzz_internet_bodies.c).
 * What must hold: refused with a finding that the answer can say, or every text is one, of the body, and the version and the flag are those of the body. */
#include <assert.h>
#include <string.h>

#include "common/text.h"
#include "intranet-side/service/decision.h"
#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
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
