/* flow.h - a case and its flow: which variant, what is shown, what the clock says, how a state is entered.
 * Owns: nothing. Threads: no shared state; changes only the caller's struct case_file. */
#ifndef INTRANET_SERVICE_FLOW_H
#define INTRANET_SERVICE_FLOW_H

#include "intranet-side/domain/rules.h"
#include "intranet-side/store/case.h"

/* The flow of a case; before the first claim the officers' variant stands for both. Never NULL for a stored case of a loaded flow. */
const struct workflow *flow_of(const struct rules *r, const struct case_file *f);
const struct workflow *flow_variant(const struct rules *r, const char *flow_type, const char *variant);
/* Roles for whom it is to do in its state; before the first claim those of either variant. */
unsigned flow_wait_roles(const struct rules *r, const struct case_file *f);
/* Stage of the register that the way forward out of its state leads to; NULL when nothing is left to do there. */
const char *flow_stage(const struct rules *r, const struct case_file *f);

struct flow_shown {
    const char *internal, *public_key, *icon, *tone;
    int stage;                       /* 1 received, 2 review, 3 originals, 4 completion, 5 end */
};
void flow_show(struct flow_shown *out, const struct rules *r, const struct case_file *f);

/* Enter a state: clocks, dates, for whom it waits, who keeps it. date: the citizen's last day, "" = by the state's rule. holder_role: that
 * of the present holder, 0 = nobody; he keeps the case while it is to do for him or for nobody. */
void flow_enter(const struct rules *r, struct case_file *f, const char *state, const char *date, unsigned holder_role, int64_t now_ms);
/* Open a new case in its initial state. ERR_INPUT: no flow for this type. */
int flow_open(const struct rules *r, struct case_file *f, int64_t now_ms, struct err *e);

/* 超 1 日 / 今天到期 / 剩 4 日 / 暂停计时 */
json_t *flow_clock(const struct rules *r, const struct case_file *f, int64_t now_ms);
/* Day that stands in the citizen's sentence and in a status record's deadline; "" = none. */
const char *flow_public_day(const struct case_file *f);
void day_words(char out[16], const char *day);          /* "12月3日"; "" for "" */

#endif
