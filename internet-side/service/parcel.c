#include "internet-side/service/parcel.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "ferry/lib/delivery.h"

int parcel_seal(struct parcel *p, struct core *c, const char *kind, const char *case_no, int64_t seq, struct buf *xml, uint32_t config,
                const struct page_set *pages, struct err *e)
{
    struct manifest m = { .config_version = config, .protocol = 1 };
    *p = (struct parcel){ .pages = pages };
    id_random(&p->record.record);
    snprintf(p->record.no.s, sizeof p->record.no.s, "%s", case_no);
    snprintf(p->record.kind, sizeof p->record.kind, "%s", kind);
    snprintf(m.kind, sizeof m.kind, "%s", kind);
    p->record.seq = seq;
    m.id = p->record.record;
    buf_init(&p->sealed, 0);
    int rc = keyring_seal(&p->sealed, &m, buf_bytes(xml), c->keys, e);
    buf_wipe(xml);
    hash_of(&p->record.hash, buf_bytes(&p->sealed));
    if (rc == 0 && c->mirror >= 0)
        rc = file_publish(c->mirror, p->record.record.s, buf_bytes(&p->sealed), PUBLISH_NEW, e);
    if (rc < 0)
        parcel_clear(p, c, false);
    return rc;
}

void parcel_clear(struct parcel *p, struct core *c, bool sent)
{
    struct err none = {0};
    buf_clear(&p->sealed);
    if (!sent && c->mirror >= 0 && p->record.record.s[0])
        file_remove(c->mirror, p->record.record.s, &none);
}

static int put_page(struct db_conn *c, const struct parcel *p, int page, int64_t now_ms, struct err *e)
{
    if (upload_submit(c, p->pages->page[page].id.s, p->record.record.s, now_ms, e) < 0)
        return -1;
    for (size_t i = 0; i < p->pages->page[page].n; i++) {
        const struct upload_part *part = &p->pages->rows[page][i];
        const struct out_item slice = {
            .id = part->item, .kind = "slice", .case_no = p->record.no.s, .bulk = true, .retain = true,
            .spool = part->item.s, .spool_size = (uint64_t)part->sealed_size, .spool_hash = part->sealed_hash,
        };
        if (delivery_enqueue(c, &slice, now_ms, e) < 0)
            return -1;
    }
    return 0;
}

int parcel_put(struct db_conn *c, const struct parcel *p, int64_t now_ms, struct err *e)
{
    uint64_t seq;
    if (delivery_next_seq(c, p->record.no.s, &seq, now_ms, e) < 0)
        return -1;
    if (seq != (uint64_t)p->record.seq)
        return err_set(e, ERR_BUSY, "case %s: seq: want %llu, have %lld", p->record.no.s, (unsigned long long)seq, (long long)p->record.seq);
    const struct out_item record = {
        .id = p->record.record, .kind = p->record.kind, .case_no = p->record.no.s, .case_seq = seq, .retain = true, .sealed = buf_bytes(&p->sealed),
    };
    if (outgoing_add(c, &p->record, now_ms, e) < 0 || delivery_enqueue(c, &record, now_ms, e) < 0)
        return -1;
    for (int i = 0; p->pages && i < p->pages->pages; i++)
        if (put_page(c, p, i, now_ms, e) < 0)
            return -1;
    return 0;
}
