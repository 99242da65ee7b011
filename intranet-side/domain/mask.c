#include "intranet-side/domain/mask.h"

#include <stdio.h>
#include <string.h>

#include "common/idnumber.h"

static void mask_phone(char *out, size_t cap, const char *v)
{
    size_t n = strlen(v), head = n >= 11 ? 3 : 0;
    const char *dash = strchr(v, '-');
    if (dash)
        head = (size_t)(dash - v) + 1;
    if (n < head + 5)
        head = 0;
    for (size_t i = 0; i < n && i + 1 < cap; i++)
        out[i] = i < head || (n > 4 && i >= n - 4) ? v[i] : '*';
    out[n < cap ? n : cap - 1] = '\0';
}

void mask_value(char *out, size_t cap, const char *kind, const char *value)
{
    if (cap == 0)
        return;
    if (kind && strcmp(kind, "id") == 0 && strlen(value) + 1 <= cap)
        id_mask(out, cap, value, strlen(value));
    else if (kind && strcmp(kind, "phone") == 0)
        mask_phone(out, cap, value);
    else if (kind && strcmp(kind, "id") == 0)
        out[0] = '\0';
    else
        snprintf(out, cap, "%s", value);
}
