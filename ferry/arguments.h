/* arguments.h - the command line of the ferry program: VERB WORD… --option VALUE… --flag, in any order. Points into argv. */
#ifndef FERRY_ARGUMENTS_H
#define FERRY_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#define ARGUMENTS_WORDS 8
#define ARGUMENTS_OPTIONS 16

struct arguments {
    const char *verb;                    /* NULL: none */
    const char *words[ARGUMENTS_WORDS];
    size_t nwords;
    const char *names[ARGUMENTS_OPTIONS], *values[ARGUMENTS_OPTIONS];      /* a flag's value is "" */
    size_t noptions;
};

/* all: every option there is, parted by blanks, with '=' where a value follows: "--config= --json". -1: an unknown option, a missing value, too many;
 * *wrong says which argument. */
int arguments_take(struct arguments *a, int argc, char **argv, const char *all, const char **wrong);
/* Whether every option given is one of `options`. *wrong: the first that is not. */
bool arguments_allowed(const struct arguments *a, const char *options, const char **wrong);
const char *arguments_option(const struct arguments *a, const char *name);      /* NULL when not given */
const char *arguments_word(const struct arguments *a, size_t i);                /* NULL when there are fewer */

#endif
