/* ask_parts.h - what ask.c and supplement.c share. Not for others. */
#ifndef INTERNET_SERVICE_ASK_PARTS_H
#define INTERNET_SERVICE_ASK_PARTS_H

#include "internet-side/service/parcel.h"

/* The place after the last record of the case; parcel_put says whether it still is. */
int ask_next_seq(int64_t *seq, struct core *c, const char *no, struct err *e);

#endif
