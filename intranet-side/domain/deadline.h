/* deadline.h - working days of the mainland calendar: weekends, holidays and the weekend days worked instead, as data.
 * Owns:    struct calendar. Threads: constant once loaded. */
#ifndef INTRANET_DOMAIN_DEADLINE_H
#define INTRANET_DOMAIN_DEADLINE_H

#include <jansson.h>

#include "common/clock.h"

struct calendar;
/* schemas/calendar/holidays.json: free, working, every_year (MM-DD, for years without a published arrangement). ERR_INPUT names the entry. */
int calendar_parse(struct calendar **out, const char *name, const json_t *json, struct err *e);
void calendar_free(struct calendar *c);
/* Whether the arrangement of a year stands in the file; without one only every_year and weekends are free. */
bool calendar_knows(const struct calendar *c, int year);
bool calendar_is_working(const struct calendar *c, struct date d);
/* The n-th working day after d (n >= 1); n = 0 gives d. The day itself never counts. */
struct date calendar_add(const struct calendar *c, struct date d, int n);
/* Working days after `from` up to and with `to`; negative when `to` lies before. */
int calendar_between(const struct calendar *c, struct date from, struct date to);
void date_text(char out[11], struct date d);              /* "2026-12-03" */
void date_words(char out[16], struct date d);             /* "12月3日" */
int date_weekday(struct date d);                          /* 0 = Sunday */

#endif
