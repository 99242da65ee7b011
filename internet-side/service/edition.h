/* edition.h - making editions; for configuration.c alone, everybody else uses configuration.h. */
#ifndef INTERNET_SERVICE_EDITION_H
#define INTERNET_SERVICE_EDITION_H

#include "internet-side/service/configuration.h"

/* Takes over the reference to c on success. */
int edition_new(struct edition **out, struct catalogue *c, struct err *e);
struct edition *edition_ref(struct edition *d);

#endif
