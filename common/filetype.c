#include "common/filetype.h"

#include <string.h>

static const struct { const char *type; const char *magic; size_t n; } kinds[] = {
    { "image/jpeg", "\xff\xd8\xff", 3 },
    { "image/png", "\x89PNG\r\n\x1a\n", 8 },
    { "application/pdf", "%PDF-", 5 },      /* only at the very start: readers that search for it open polyglots */
};

const char *filetype_of(struct bytes first)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (first.n >= kinds[i].n && memcmp(first.p, kinds[i].magic, kinds[i].n) == 0)
            return kinds[i].type;
    return NULL;
}

const char *filetype_known(const char *word)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, word) == 0)
            return kinds[i].type;
    return NULL;
}
