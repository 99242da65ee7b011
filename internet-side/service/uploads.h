/* uploads.h - pages of materials on their way up: each part is sealed to the intranet as it arrives, and nothing here can open it again.
 * Owns:    files in the spool (and mirror) named by the id of their item; rows of upload and upload_part.
 * Threads: safe.
 * Order:   file first, then row. A crash between leaves a file without a row, which upkeep removes. */
#ifndef INTERNET_SERVICE_UPLOADS_H
#define INTERNET_SERVICE_UPLOADS_H

#include "internet-side/service/core.h"

struct session;

#define UPLOAD_PART 524288               /* every part but the last has exactly this size */
#define UPLOAD_MAX 20971520              /* of a page */
#define UPLOAD_ACCOUNT_MAX 62914560      /* unsubmitted, of an account */
#define UPLOAD_ACCOUNT_PAGES 200
#define UPLOAD_SLOT_PAGES 40
#define UPLOAD_LIFE_MS (24ll * 3600000)

/* body of POST /api/uploads; the reply's body is Upload. ERR_FULL when the service is not accepting. */
int uploads_begin(struct core *c, const struct session *s, const json_t *body, int64_t now_ms, struct reply *r, struct err *e);
int uploads_state(struct core *c, const struct session *s, const char *id, struct reply *r, struct err *e);
/* The part that starts at offset. A part that is here already with the same bytes is fine; other bytes are ERR_CONFLICT. */
int uploads_part(struct core *c, const struct session *s, const char *id, uint64_t offset, struct bytes part, int64_t now_ms, struct reply *r,
                 struct err *e);
int uploads_drop(struct core *c, const struct session *s, const char *id, int64_t now_ms, struct reply *r, struct err *e);
/* Files of the spool and the mirror that no row speaks of and that are older than an hour. At the start, outside requests. */
int uploads_sweep(struct core *c, int64_t now_ms, unsigned *removed, struct err *e);

#endif
