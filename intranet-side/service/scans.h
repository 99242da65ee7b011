/* scans.h - papers scanned at the desk while a case goes on (补扫): permit to move in (准迁证), migration certificate (迁移证).
 * They stand among the pages of the case as slots of their own; a new scan takes the place of the last one until the step is taken.
 * Owns: nothing. Threads: safe; scan_missing inside a closure. */
#ifndef INTRANET_SERVICE_SCANS_H
#define INTRANET_SERVICE_SCANS_H

#include "intranet-side/domain/workflow.h"
#include "intranet-side/service/core.h"

#define SCAN_MAX ((size_t)8 << 20)       /* a page at 300 dpi; what is larger is no scan of one paper */
enum { SCAN_SLOT_PERMIT = 201, SCAN_SLOT_CERTIFICATE = 202 };      /* behind every number a material of the catalogue can have */

/* "准迁证" "迁移证"; NULL: no slot of a scan. */
const char *scan_name(int64_t slot);
/* Name of the first paper that `needs` asks for and that is not here or cannot be read; NULL when nothing is missing. */
int scan_missing(const char **name, struct db_conn *conn, const char *no, unsigned needs, struct err *e);
/* Whether the image child can read it; fails when the child is away. Asked only once the officer may scan here. */
struct scan_probe { int (*readable)(void *arg, struct bytes bytes, bool *readable, struct err *e); void *arg; };
/* Keep a scan; the body is the case. kind: "permit" "certificate". ERR_INPUT: neither JPEG nor PNG nor PDF by its first bytes, not readable, or no
 * such kind. ERR_DENIED: not the holder. ERR_CONFLICT: the state does not ask for this paper. probe NULL: nobody is asked. */
int scan_add(struct core *c, const struct actor *a, const char *no, const char *kind, struct bytes bytes, const struct scan_probe *probe,
             int64_t now_ms, struct reply *r, struct err *e);

#endif
