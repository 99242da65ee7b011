#include "intranet-side/service/realign.h"

#include <string.h>

#include "common/log.h"
#include "intranet-side/service/core_parts.h"
#include "intranet-side/service/dossier.h"
#include "intranet-side/service/intake_parts.h"
#include "intranet-side/service/outgoing.h"
#include "intranet-side/service/step.h"

/* Whose last four characters open the case on a new device: the applicant's, else those of the person who was identified. */
static const char *tail_of(const struct dossier *d)
{
    const char *no = text_of(d->entries, "applicant_id_no");
    if (strlen(no) != 18)
        no = text_of(json_object_get(d->payload, "identity"), "id_no");
    if (strlen(no) != 18)
        no = d->id_no;
    return strlen(no) == 18 ? no + 14 : "";
}

static int say_tracking(struct core *c, struct db_conn *conn, const struct dossier *d, int64_t now_ms, struct err *e)
{
    const char *tail = tail_of(d);
    if (!*tail || strlen(d->phone) != 11)
        return err_set(e, ERR_INTERNAL, "realign: case %s: no phone or no ID number to find it by", d->f.no);
    return outgoing_tracking(c, conn, &d->f, d->phone, tail, now_ms, e);
}

struct answers { struct core *c; struct db_conn *conn; const struct case_file *f; int64_t now_ms; };

static int say_answer(const struct intake_row *row, void *arg, struct err *e)
{
    struct answers *a = arg;
    return intake_say_again(a->c, a->conn, a->f, row, a->now_ms, e);
}

/* The last request, when it is the citizen's turn. */
static int say_request(struct core *c, struct db_conn *conn, const struct dossier *d, int64_t now_ms, struct err *e)
{
    const json_t *requests = json_object_get(d->payload, "requests");
    size_t n = json_array_size(requests);
    return d->f.citizen_due[0] && n && !d->f.final ? outgoing_request(c, conn, d->f.no, json_array_get(requests, n - 1), now_ms, e) : 0;
}

static int say_all(struct core *c, struct db_conn *conn, struct dossier *d, enum resync_why why, int64_t now_ms, struct err *e)
{
    struct answers a = {c, conn, &d->f, now_ms};
    if (why == RESYNC_UNKNOWN ? say_tracking(c, conn, d, now_ms, e) < 0 : intake_each(conn, d->f.no, say_answer, &a, e) < 0)
        return -1;
    if (say_request(c, conn, d, now_ms, e) < 0 || step_status_now(c, conn, d, now_ms, e) < 0)
        return -1;
    return core_audit(c, conn, NULL, now_ms, "realign", d->f.no, why == RESYNC_UNKNOWN ? "unknown" : "ahead", e);
}

int realign(struct db_conn *conn, void *core, const char *case_no, enum resync_why why, int64_t now_ms, struct err *e)
{
    struct core *c = core;
    struct case_file f;
    struct dossier d;
    struct err none = {0};
    if (why == RESYNC_TOP)               /* numbers of online cases are drawn on the other side */
        return 0;
    if (case_get(conn, case_no, &f, &none) < 0)
        return none.code == ERR_MISSING ? 0 : err_set(e, none.code, "%s", none.msg);
    if (dossier_open(&d, c, conn, &f, e) < 0)
        return -1;
    int rc = say_all(c, conn, &d, why, now_ms, e);
    dossier_close(&d);
    return rc < 0 ? -1 : 1;
}
