/* suite.c - which suites there are. Suite 1 is linked in; this build knows no other. */
#include "common/suite.h"

const struct suite *suite_find(unsigned number, struct err *e)
{
    if (number == suite1.number)
        return &suite1;
    err_set(e, ERR_HELD, "suite %u is not known here", number);
    return NULL;
}
