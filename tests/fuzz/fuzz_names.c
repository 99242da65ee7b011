/* fuzz_names.c - the input is one name of a file, as a gateway, a medium or a stranger may give it: of an envelope, of a probe, of a temporary file, and what the
 * quarantine would call it.
 * What must hold: a name that is understood is written again as the same, and never as two kinds; what the quarantine calls a file is no note, no list of ours and no
 * temporary name, is text, and has no control byte. */
#include <assert.h>

#include "common/text.h"
#include "ferry/lib/envelope.h"
#include "ferry/lib/probe.h"
#include "ferry/lib/quarantine.c"
#include "ferry/lib/temps.c"
#include "tests/fuzz/replay.h"

/* A name that a folder can hold and folder_list tells. */
static bool name_of(char out[256], struct bytes in)
{
    if (in.n == 0 || in.n > 255 || in.p[0] == '.' || memchr(in.p, 0, in.n) || memchr(in.p, '/', in.n))
        return false;
    memcpy(out, in.p, in.n);
    out[in.n] = 0;
    return true;
}

static void understood(const char *name)
{
    struct envelope_head h;
    struct probe_name p;
    char again[PROBE_NAME];
    bool envelope = envelope_named(name, &h), probe = probe_name_parse(&p, name) == 0;
    assert(!(envelope && probe) && !((envelope || probe) && is_temp(name)));
    if (envelope) {
        envelope_name(again, &h);
        assert(strcmp(again, name) == 0 && h.kind <= ENVELOPE_BEAT && h.number <= 999999999999 && h.from[0] && h.incarnation[0]);
    }
    if (probe) {
        probe_name_print(again, &p);
        assert(strcmp(again, name) == 0 && (strcmp(p.from, "internet") == 0 || strcmp(p.from, "intranet") == 0) && strlen(p.nonce) == 16);
        assert(!p.answer || (p.verdict.word < PROBE__COUNT && p.verdict.nwant <= 8 && p.verdict.nhave <= 8));
    }
}

static void called(const char *name)
{
    char out[192], again[192], note[264];
    plain_name(out, name);
    assert(out[0] && strlen(out) < 190 && !quarantine_is_note(out) && !is_temp(out) && !strchr(out, '/') && out[0] != '.');
    assert(strncmp(out, "beyond-the-bound", 16) != 0 && text_length(bytes_of(out)) > 0);
    for (const char *p = out; *p; p++)
        assert((unsigned char)*p >= 0x20 && *p != 0x7f);
    plain_name(again, out);
    assert(strlen(out) > 176 || strcmp(out, again) == 0);
    snprintf(note, sizeof note, "%s.reason", out);
    assert(quarantine_is_note(note));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[256];
    if (name_of(name, (struct bytes){data, size})) {
        understood(name);
        called(name);
    }
    return 0;
}
