/* caseno.h - 受理号: 3407, yymm, seven digits, one Luhn check digit. Made by the internet side, only judged here.
 * Owns: nothing. Threads: no shared state. */
#ifndef INTRANET_DOMAIN_CASENO_H
#define INTRANET_DOMAIN_CASENO_H

#include <stdbool.h>

bool caseno_valid(const char *no);

#endif
