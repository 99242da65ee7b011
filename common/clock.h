/* clock.h - time as numbers. Domain code gets time as an argument; only main and the ferry's loops ask the clock.
 * Units:   _ms are milliseconds since 1970 UTC, _s seconds. Civil dates are Beijing time (UTC+8, no summer time).
 * Threads: safe. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

#include "common/err.h"

struct date { int y, m, d; };

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);                       /* never goes backwards; for waits and ages within one process */
void clock_rfc3339(char out[21], int64_t ms);      /* "2026-11-23T09:41:06Z" */
int clock_parse_rfc3339(int64_t *ms, const char *s, struct err *e);
struct date clock_beijing_date(int64_t ms);
bool date_valid(struct date d);
int date_parse(struct date *out, const char *s);   /* "2026-11-20" only; -1 when malformed or not a day of the calendar */
int date_compare(struct date a, struct date b);    /* <0, 0, >0 */
int date_age_at(struct date birth, struct date on);/* whole years, civil (GB: 周岁); -1 when birth is after on */
struct date date_add_days(struct date d, int n);

#endif
