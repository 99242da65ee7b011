#include "intranet-side/service/caserow.h"

#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/mask.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/flow.h"

const char *caserow_channel(const char *channel)
{
    return strcmp(channel, "wechat") == 0 ? "微信" : strcmp(channel, "app") == 0 ? "APP" : "电脑";
}

const char *caserow_item_name(const struct core *c, const char *item)
{
    const struct item *i = catalogue_item(c->catalogue, item);
    return i ? i->name : item;
}

static int masked_number(char out[32], struct core *c, struct db_conn *conn, const char *no, struct err *e)
{
    struct case_sealed s;
    struct buf plain;
    char where[96];
    out[0] = '\0';
    if (case_get_sealed(conn, no, &s, e) < 0)
        return -1;
    buf_init(&plain, 4096);
    snprintf(where, sizeof where, "case_file/id_sealed/%s", no);
    int rc = s.id_no.n ? vault_unseal(&plain, c->vault, where, buf_bytes(&s.id_no), e) : 0;
    if (rc == 0)
        mask_value(out, 32, "id", buf_text(&plain));
    buf_wipe(&plain);
    case_sealed_clear(&s);
    return rc;
}

json_t *caserow_json(struct core *c, struct db_conn *conn, const struct actor *a, const struct case_file *f, int64_t now_ms, struct err *e)
{
    struct flow_shown shown;
    char id_no[32];
    if (masked_number(id_no, c, conn, f->no, e) < 0)
        return NULL;
    flow_show(&shown, c->rules, f);
    const char *holder = *f->holder == '\0' ? "未领" : strcmp(f->holder, a->id.s) == 0 ? "我" : f->holder_name;
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:{s:I, s:I}}", "no", f->no, "item", f->item, "item_name",
                            caserow_item_name(c, f->item), "person", f->person, "id_no", id_no, "state", f->state, "internal", shown.internal, "icon",
                            shown.icon, "tone", shown.tone, "channel", caserow_channel(f->channel), "submitted", json_time(f->submitted), "holder", holder,
                            "clock", flow_clock(c->rules, f, now_ms), "pages", "done", (json_int_t)f->pages_done, "total", (json_int_t)f->pages_total);
    const struct workflow *w = flow_of(c->rules, f);
    const struct wf_transition *t = w && !f->final ? workflow_forward(w, f->state) : NULL;
    if (row && t)
        json_object_set_new(row, "next", json_string(t->label));
    if (row && f->state_since)
        json_object_set_new(row, "since", json_time(f->state_since));
    if (row && f->held_since)
        json_object_set_new(row, "held_since", json_time(f->held_since));
    if (row == NULL)
        err_set(e, ERR_INTERNAL, "row of case %s could not be made", f->no);
    return row;
}
