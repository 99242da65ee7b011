#include "intranet-side/domain/caseno.h"

#include <string.h>

bool caseno_valid(const char *no)
{
    int sum = 0;
    if (strlen(no) != 16 || strspn(no, "0123456789") != 16 || strncmp(no, "3407", 4) != 0)
        return false;
    for (int i = 0; i < 16; i++) {
        int d = no[i] - '0';
        if (i % 2 == 0 && (d *= 2) > 9)      /* every second digit counted from the check digit */
            d -= 9;
        sum += d;
    }
    return sum % 10 == 0;
}
