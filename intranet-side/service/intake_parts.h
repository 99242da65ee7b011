/* intake_parts.h - inside the house of intake: preparing and applying each kind.
 * Owns: nothing. Threads: as intake.h. */
#ifndef INTRANET_SERVICE_INTAKE_PARTS_H
#define INTRANET_SERVICE_INTAKE_PARTS_H

#include "ferry/lib/delivery.h"
#include "intranet-side/service/dossier.h"
#include "intranet-side/service/intake_record.h"
#include "intranet-side/store/log_books.h"

/* Keep what a refusal says until its outcome is asked for, for many items at once: a whole batch is prepared before any of it is applied.
 * Findings and phone may be NULL or "". said: once, false when nothing was. */
void intake_say(struct intake *i, const char *item, const char *zh, const json_t *findings, const char *phone);
bool intake_said(struct intake *i, const char *item, char zh[256], json_t **findings, char phone[16]);

/* Pages of a record: rows, and the parts that came before. */
int intake_link_pages(struct db_conn *c, const struct incoming *in, const char *record, int64_t round, struct err *e);
/* Count the pages of the case again and answer: confirmed when nothing of this record is missing, else received. */
int intake_progress(struct core *core, struct db_conn *c, struct case_file *f, const struct intake_row *row, bool say_received, int64_t now_ms, struct err *e);
/* The answer that stands for a record, said again: confirmed with its parts, or received. */
int intake_say_again(struct core *core, struct db_conn *c, const struct case_file *f, const struct intake_row *row, int64_t now_ms, struct err *e);

int part_prepare(void *app, const struct in_item *it, struct bytes content, void **prepared, struct err *e);
int part_apply(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e);
void part_discard(void *prepared);

int supplement_apply(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e);
int withdrawal_apply(struct db_conn *c, void *app, const struct in_item *it, void *prepared, struct err *e);

#endif
