/* builtin.h - record kinds that the delivery handles itself, beside those of its application. Their app argument is the struct delivery. */
#ifndef FERRY_BUILTIN_H
#define FERRY_BUILTIN_H

#include "ferry/lib/delivery.h"

extern const struct delivery_handler builtin_handlers[];
extern const size_t builtin_n_handlers;

#endif
