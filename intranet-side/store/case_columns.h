/* case_columns.h - the columns of struct case_file in the order case_read_row takes them; shared by the statements that give whole rows. */
#ifndef INTRANET_STORE_CASE_COLUMNS_H
#define INTRANET_STORE_CASE_COLUMNS_H

#include "intranet-side/store/case.h"

#define CASE_COLUMNS                                                                                                             \
    "f.no, f.item, f.flow, f.workflow, f.state, f.previous, f.unit, f.up_unit, f.up, f.holder, f.holder_name, f.held_since, "    \
    "f.version, f.transitions, f.wait_roles, f.final, f.archived, f.pre_archived, f.supplemented, f.originals_due, f.channel, "  \
    "f.submitted, f.received, f.confirmed, f.state_since, f.state_due, f.total_due, f.stopped_on, f.citizen_due, f.sort_due, "   \
    "f.config_version, f.record, f.content, f.person, f.round, f.pages_total, f.pages_done, f.undo_until, f.undo_officer, f.reversed"

void case_read_row(struct case_file *f, sqlite3_stmt *s);

#endif
