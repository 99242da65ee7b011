/* scratch.h - what C tests share: cmocka with its prerequisites, a folder of one's own, assertions about errors and the log. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "common/err.h"

struct scratch { char dir[64]; char path[512]; };

/* A new empty folder below /tmp; the test fails when there is none. */
void scratch_open(struct scratch *s);
void scratch_close(struct scratch *s);                         /* removes it with everything below */
const char *scratch_path(struct scratch *s, const char *name); /* valid until the next call */
void scratch_write(struct scratch *s, const char *name, struct bytes body);

/* The call failed with this code, and the sentence contains these words. Clears the error. */
void assert_error(int rc, struct err *e, enum err_code code, const char *words);

/* Of the keys of a whole delivery: $HZ_SUITE, else 1. Tests of keys, seals and envelopes run in each suite by themselves. */
unsigned scratch_suite(void);

/* A program of the variant this test was built in, e.g. "libexec/parser"; valid until the next call. */
const char *built(const char *program);

/* Standard error goes into a file from here on; ends by giving what was written. */
struct capture { int kept; char path[64]; };
void capture_begin(struct capture *c);
void capture_end(struct capture *c, struct buf *out);

#endif
