/* evidence.c - writing: out of the journal and the kept beats. Reading is in evidence_read.c, judging in evidence_check.c. */
#include "ferry/lib/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ferry/lib/heads.h"
#include "ferry/lib/parts.h"

#define BEATS_MOST 200

struct export_job {
    const char *case_no;
    json_t *out, *beats, *entries;
    struct journal_entry *list;
    struct journal_head head;
    int64_t rows[BEATS_MOST];            /* which kept beats are in the file */
    int nrows;
};

/* Where in the file the kept beat stands that has this entry (seq > 0), or names this file. -1 none. */
static int add_beat(struct db_conn *c, struct export_job *j, uint64_t seq, const struct journal_entry *x, struct kept_beat *kept, int *at, struct err *e)
{
    struct buf file, text;
    *at = -1;
    buf_init(&file, ENVELOPE_MAX);
    int rc = heads_beat(c, seq, x->incarnation, x->number, kept, &file, e);
    for (int i = 0; rc == 1 && i < j->nrows; i++)
        if (j->rows[i] == kept->row)
            *at = i;
    if (rc == 1 && *at < 0 && j->nrows < BEATS_MOST) {
        buf_init(&text, 0);
        base64_put(&text, buf_bytes(&file));
        json_array_append_new(j->beats, json_string(buf_text(&text)));
        buf_clear(&text);
        *at = j->nrows;
        j->rows[j->nrows++] = kept->row;
    }
    buf_clear(&file);
    return rc < 0 ? -1 : 0;
}

static json_t *hex_of(const struct hash256 *h)
{
    char hex[65];
    hash_hex(hex, h);
    return json_string(hex);
}

static int add_entry(struct db_conn *c, struct export_job *j, const struct journal_entry *x, struct err *e)
{
    struct hash256 path[TREE_MOST];
    struct kept_beat kept = {0};
    int at, unused;
    size_t n;
    if (add_beat(c, j, x->seq, x, &kept, &at, e) < 0 || journal_path(c, x->seq, at < 0 ? j->head.size : kept.our_size, path, &n, e) < 0)
        return -1;
    if (strcmp(x->what, "acked") == 0 && add_beat(c, j, 0, x, &kept, &unused, e) < 0)
        return -1;
    json_t *list = json_array(), *row = json_pack("{s:I, s:I, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:i}", "seq", (json_int_t)x->seq, "at_ms", (json_int_t)x->at_ms, "what", x->what,
                                                  "incarnation", x->incarnation, "number", (json_int_t)x->number, "item", x->item, "kind", x->kind, "case", x->case_no, "hash",
                                                  x->hash, "prev", hex_of(&x->prev), "beat", at);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, hex_of(&path[i]));
    json_object_set_new(row, "path", list);
    return json_array_append_new(j->entries, row) < 0 ? err_set(e, ERR_FULL, "evidence: no memory") : 0;
}

static int export_case(struct db_conn *c, void *arg, struct err *e)
{
    struct export_job *j = arg;
    size_t n;
    if (journal_head(c, &j->head, e) < 0 || journal_of_case(c, j->case_no, j->list, EVIDENCE_ENTRIES, &n, e) < 0)
        return -1;
    if (n == 0)
        return err_set(e, ERR_MISSING, "evidence: the journal knows nothing of case '%.20s'", j->case_no);
    for (size_t i = 0; i < n; i++)
        if (j->list[i].seq <= j->head.size && add_entry(c, j, &j->list[i], e) < 0)      /* later ones came while we read */
            return -1;
    return 0;
}

static int sign_it(struct delivery *d, json_t *file, struct err *e)
{
    struct key_set *keys = keyring_take(d->ring);
    const struct key_pair *own = key_set_own(keys);
    char id[17], hex[129];
    uint8_t sig[64];
    hex_put(id, keys_public(own)->id.b, 8);
    json_object_set_new(file, "key", json_string(id));
    char *body = json_dumps(file, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    if (body) {
        sign_bytes(sig, "hz-evidence-1", bytes_of(body), own);
        hex_put(hex, sig, sizeof sig);
        json_object_set_new(file, "signature", json_string(hex));
    }
    key_set_release(keys);
    int rc = body ? 0 : err_set(e, ERR_FULL, "evidence: no memory");
    free(body);
    return rc;
}

int evidence_verb(struct delivery *d, void *app, const json_t *args, json_t *answer, struct err *e)
{
    struct export_job j = {.case_no = NULL};
    (void)app;
    if (command_need(args, "case", &j.case_no, e) < 0)
        return -1;
    j.list = calloc(EVIDENCE_ENTRIES, sizeof *j.list);
    j.out = json_object();
    j.beats = json_array();
    j.entries = json_array();
    json_object_set_new(j.out, "beats", j.beats);
    json_object_set_new(j.out, "entries", j.entries);
    json_object_set_new(answer, "evidence", j.out);
    int rc = j.list && j.out ? db_read(d->opt.db, export_case, &j, e) : err_set(e, ERR_FULL, "evidence: no memory");
    free(j.list);
    if (rc < 0)
        return -1;
    json_object_set_new(j.out, "format", json_string("hz-evidence-1"));
    json_object_set_new(j.out, "side", json_string(keys_public(d->opt.own)->name));
    json_object_set_new(j.out, "peer", json_string(d->opt.peer->name));
    json_object_set_new(j.out, "case", json_string(j.case_no));
    json_object_set_new(j.out, "at_ms", json_integer(clock_wall_ms()));
    json_object_set_new(j.out, "size", json_integer((json_int_t)j.head.size));
    json_object_set_new(j.out, "head", json_string(j.head.root));
    return sign_it(d, j.out, e);
}
