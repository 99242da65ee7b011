#include "intranet-side/domain/idassign.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/idnumber.h"

int id_assign(char out[19], const char *region, const char *birth, char gender, id_used_fn used, void *arg, struct err *e)
{
    struct date d;
    if (strlen(region) != 6 || date_parse(&d, birth) < 0 || (gender != '1' && gender != '2'))
        return err_set(e, ERR_INPUT, "new number: want a region of 6 digits, a day and a sex of 1 or 2");
    for (int seq = gender == '1' ? 1 : 2; seq <= 999; seq += 2) {
        char n[64];
        bool taken = false;
        snprintf(n, sizeof n, "%.6s%04d%02d%02d%03d", region, d.y, d.m, d.d, seq);
        n[17] = id_check_digit(n);
        n[18] = '\0';
        if (n[17] == '\0')
            return err_set(e, ERR_INPUT, "new number: region %s is not six digits", region);
        if (used(arg, n, &taken, e) < 0)
            return -1;
        if (!taken) {
            memcpy(out, n, 19);
            return 0;
        }
    }
    return err_set(e, ERR_FULL, "new number: no free sequence for this day and area");
}
