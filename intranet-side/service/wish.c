#include "intranet-side/service/wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/record.h"
#include "common/text.h"
#include "intranet-side/domain/change.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/store/change.h"

static int changes_read(json_t *out, const struct rec_node *root, struct err *e)
{
    for (const struct rec_node *n = rec_child(root, "change"); n; n = rec_next(n, "change")) {
        json_t *value = json_loads(n->text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        if (!value)
            return err_set(e, ERR_INPUT, "configuration-wish: change %.60s %.60s: want the JSON of a value", rec_attr(n, "item"), rec_attr(n, "path"));
        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:o}", "region", rec_attr(n, "region"), "item", rec_attr(n, "item"), "path", rec_attr(n, "path"), "value", value));
    }
    return 0;
}

/* Shown to administrators as they stand. */
static int texts_fit(const struct rec_node *root, struct err *e)
{
    if (text_fault_of(bytes_of(rec_child_text(root, "title"))) == TEXT_OK && text_fault_of(bytes_of(rec_child_text(root, "text"))) == TEXT_OK)
        return 0;
    return err_set(e, ERR_INPUT, "configuration-wish: title, text: want plain text, have characters that cannot be shown");
}

/* What is malformed by itself is refused: nobody could mend it in a form. What does not fit together an administrator sees in the draft. */
static int wish_judge(const json_t *changes, const struct core *c, struct err *e)
{
    json_t *found = changes_findings(changes, c->catalogue);
    const json_t *first = json_array_get(found, 0);
    if (first)
        err_set(e, ERR_INPUT, "configuration-wish: %.80s: %.120s", text_of(first, "field"), text_of(first, "message"));
    json_decref(found);
    return first ? -1 : 0;
}

int wish_prepare(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e)
{
    struct core *c = app;
    struct record rec;
    struct change_set *s = calloc(1, sizeof *s);
    memset(&rec, 0, sizeof rec);
    if (!s)
        return err_set(e, ERR_INTERNAL, "wish: no memory");
    s->changes = json_array();
    int rc = record_parse(&rec, c->parser, 'R', "configuration-wish", content, e);
    if (rc == 0 && (*it->case_no || texts_fit(rec.root, e) < 0 || changes_read(s->changes, rec.root, e) < 0 || wish_judge(s->changes, c, e) < 0))
        rc = e->code ? -1 : err_set(e, ERR_INPUT, "configuration-wish: want no case number");
    if (rc == 0) {
        snprintf(s->uid, sizeof s->uid, "%s", it->id);
        snprintf(s->record, sizeof s->record, "%s", it->id);
        snprintf(s->source, sizeof s->source, "internet");
        snprintf(s->title, sizeof s->title, "%.240s", rec_child_text(rec.root, "title"));
        snprintf(s->wish, sizeof s->wish, "%.4000s", rec_child_text(rec.root, "text"));
        s->edited_at = it->now_ms;
        *prepared = s;
        s = NULL;
    }
    record_free(&rec);
    wish_discard(s);
    return rc;
}

int wish_apply(struct db_conn *conn, void *app, const struct in_item *it, void *prepared, struct err *e)
{
    const struct change_set *s = prepared;
    if (change_by_record(conn, s->record))
        return 0;
    log_event(LOG_WARN, "configuration_wish", "item %s changes %zu", it->id, json_array_size(s->changes));
    return change_add(conn, s, e) < 0 ? -1 : core_audit(app, conn, NULL, it->now_ms, "change_wish", s->uid, s->title, e);
}

void wish_discard(void *prepared)
{
    struct change_set *s = prepared;
    if (s)
        change_clear(s);
    free(s);
}
