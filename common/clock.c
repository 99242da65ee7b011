#include "common/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS 86400000LL
#define BEIJING_MS (8 * 3600000LL)

static int64_t now_of(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void) { return now_of(CLOCK_REALTIME); }
int64_t clock_mono_ms(void) { return now_of(CLOCK_MONOTONIC); }

/* Days since 1970-01-01 of a proleptic Gregorian date, and back (H. Hinnant's days_from_civil). */
static int64_t days_of(struct date d)
{
    int64_t y = d.m <= 2 ? d.y - 1 : d.y;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (d.m + (d.m > 2 ? -3 : 9)) + 2) / 5 + d.d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct date date_of(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int m = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct date){(int)(yoe + era * 400 + (m <= 2)), m, (int)(doy - (153 * mp + 2) / 5 + 1)};
}

static int64_t floor_day(int64_t ms)
{
    return ms >= 0 ? ms / DAY_MS : -((-ms + DAY_MS - 1) / DAY_MS);
}

void clock_rfc3339(char out[21], int64_t ms)
{
    int64_t day = floor_day(ms), s = (ms - day * DAY_MS) / 1000;
    struct date d = date_of(day);
    char text[64];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", d.y % 10000, d.m, d.d, (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    memcpy(out, text, 20);
    out[20] = 0;
}

static int two(const char *s)
{
    return s[0] >= '0' && s[0] <= '9' && s[1] >= '0' && s[1] <= '9' ? (s[0] - '0') * 10 + s[1] - '0' : -1;
}

int date_parse(struct date *out, const char *s)
{
    if (strlen(s) != 10 || s[4] != '-' || s[7] != '-' || two(s) < 0 || two(s + 2) < 0)
        return -1;
    struct date d = {two(s) * 100 + two(s + 2), two(s + 5), two(s + 8)};
    if (!date_valid(d))
        return -1;
    *out = d;
    return 0;
}

int clock_parse_rfc3339(int64_t *ms, const char *s, struct err *e)
{
    char day[11] = "";
    struct date d;
    if (strlen(s) == 20 && s[10] == 'T' && s[13] == ':' && s[16] == ':' && s[19] == 'Z') {
        memcpy(day, s, 10);
        int hh = two(s + 11), mm = two(s + 14), ss = two(s + 17);
        if (date_parse(&d, day) == 0 && hh >= 0 && hh < 24 && mm >= 0 && mm < 60 && ss >= 0 && ss < 60) {
            *ms = days_of(d) * DAY_MS + (hh * 3600LL + mm * 60 + ss) * 1000;
            return 0;
        }
    }
    return err_set(e, ERR_INPUT, "time: want 2026-11-23T09:41:06Z, have '%.30s'", s);
}

struct date clock_beijing_date(int64_t ms)
{
    return date_of(floor_day(ms + BEIJING_MS));
}

bool date_valid(struct date d)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (d.y < 1 || d.y > 9999 || d.m < 1 || d.m > 12 || d.d < 1)
        return false;
    bool leap = (d.y % 4 == 0 && d.y % 100 != 0) || d.y % 400 == 0;
    return d.d <= days[d.m - 1] + (d.m == 2 && leap);
}

int date_compare(struct date a, struct date b)
{
    return a.y != b.y ? a.y - b.y : a.m != b.m ? a.m - b.m : a.d - b.d;
}

int date_age_at(struct date birth, struct date on)
{
    if (date_compare(birth, on) > 0)
        return -1;
    return on.y - birth.y - (on.m < birth.m || (on.m == birth.m && on.d < birth.d));
}

struct date date_add_days(struct date d, int n)
{
    return date_of(days_of(d) + n);
}
