#include "internet-side/service/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/filetype.h"

struct load { struct page_set *out; const struct hash256 *account; const struct draft *d; json_t *findings; };

static void find(json_t *findings, int slot, size_t page, const char *rule, const char *zh)
{
    char field[24], message[160];
    snprintf(field, sizeof field, "material.%d", slot);
    snprintf(message, sizeof message, "第 %zu 页%s", page + 1, zh);
    json_array_append_new(findings, json_pack("{s:s, s:s, s:s, s:s}", "field", field, "rule", rule, "want", "a complete page of this draft", "message",
                                              message));
}

static bool named_before(const struct page_set *s, const char *id)
{
    for (int i = 0; i < s->pages; i++)
        if (strcmp(s->page[i].id.s, id) == 0)
            return true;
    return false;
}

/* Why the page cannot be taken, NULL when it can. Somebody else's is as if it were not there. */
static const char *fault(const struct upload *u, int found, const struct load *l, int slot, const char **rule)
{
    if (!found || !hash_equal(&u->account, l->account) || strcmp(u->draft.s, l->d->id.s) != 0) {
        *rule = "page_unknown";
        return "没有找到或已过期，请重新上传";
    }
    if (u->record[0]) {
        *rule = "page_used";
        return "已经交过了，请重新上传";
    }
    if (u->material != slot) {
        *rule = "page_slot";
        return "不是为这份材料传的，请重新上传";
    }
    if (u->offset != u->size) {
        *rule = "page_unfinished";
        return "还没有传完，请等一下";
    }
    return NULL;
}

static int take_page(struct load *l, struct db_conn *c, const struct upload *u, struct err *e)
{
    struct page_set *s = l->out;
    struct content_page *p = &s->page[s->pages];
    size_t n;
    if (upload_parts(&s->rows[s->pages], &n, c, u->id.s, e) < 0)
        return -1;
    struct content_part *parts = calloc(n + 1, sizeof *parts);
    if (!parts)
        return err_set(e, ERR_FULL, "pages: no memory");
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct content_part){ s->rows[s->pages][i].item, s->rows[s->pages][i].size, s->rows[s->pages][i].hash };
    s->parts[s->pages] = parts;
    *p = (struct content_page){ .id = u->id, .type = filetype_known(u->type), .size = u->size, .n = n, .parts = parts };
    s->pages++;
    return 0;
}

static int load_slot(struct load *l, struct db_conn *c, const struct draft_slot *slot, struct err *e)
{
    const int first = l->out->pages;
    for (size_t i = 0; i < slot->n; i++) {
        struct upload u;
        const char *rule = "page_repeated";
        const int found = upload_load(&u, c, slot->pages[i].s, e);
        if (found < 0)
            return -1;
        const char *zh = named_before(l->out, slot->pages[i].s) ? "重复了，请删掉一次" : fault(&u, found, l, slot->no, &rule);
        if (zh)
            find(l->findings, slot->no, i, rule, zh);
        if (!zh && take_page(l, c, &u, e) < 0)
            return -1;
    }
    if (l->out->pages > first)
        l->out->slots[l->out->n_slots++] = (struct content_slot){ slot->no, slot->alternative, (size_t)(l->out->pages - first), &l->out->page[first] };
    return 0;
}

static int load_read(struct db_conn *c, void *arg, struct err *e)
{
    struct load *l = arg;
    for (size_t i = 0; i < l->d->n_slots; i++)
        if (load_slot(l, c, &l->d->slots[i], e) < 0)
            return -1;
    return 0;
}

int page_set_load(struct page_set *out, struct core *c, const struct hash256 *account, const struct draft *d, json_t *findings, struct err *e)
{
    struct load l = { out, account, d, findings };
    size_t n = 0;
    for (size_t i = 0; i < d->n_slots; i++)
        n += d->slots[i].n;
    *out = (struct page_set){0};
    if (n == 0)
        return 0;
    out->slots = calloc(d->n_slots, sizeof *out->slots);
    out->page = calloc(n, sizeof *out->page);
    out->parts = calloc(n, sizeof *out->parts);
    out->rows = calloc(n, sizeof *out->rows);
    if (!out->slots || !out->page || !out->parts || !out->rows)
        return err_set(e, ERR_FULL, "pages: no memory");
    if (n > UPLOAD_PAGES_MAX) {
        json_array_append_new(findings, json_pack("{s:s, s:s, s:s}", "field", "", "rule", "pages", "message", "照片太多了，一次最多 200 页"));
        return 0;
    }
    return db_read(c->db, load_read, &l, e);
}

void page_set_clear(struct page_set *s)
{
    for (int i = 0; i < s->pages; i++) {
        free(s->parts[i]);
        free(s->rows[i]);
    }
    free(s->slots);
    free(s->page);
    free(s->parts);
    free(s->rows);
    *s = (struct page_set){0};
}
