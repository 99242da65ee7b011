#include "ferry/arguments.h"

#include <string.h>

/* Where `name` stands in the list of options; *value: one follows. */
static bool find(const char *options, const char *name, bool *value)
{
    size_t n = strlen(name);
    for (const char *p = options; (p = strstr(p, name)) != NULL; p += n)
        if ((p == options || p[-1] == ' ') && (p[n] == '=' || p[n] == ' ' || p[n] == 0)) {
            *value = p[n] == '=';
            return true;
        }
    return false;
}

static int take_option(struct arguments *a, int argc, char **argv, int *i, const char *all)
{
    bool value;
    if (a->noptions == ARGUMENTS_OPTIONS || !find(all, argv[*i], &value))
        return -1;
    a->names[a->noptions] = argv[*i];
    if (value && ++*i == argc) {
        --*i;
        return -1;
    }
    a->values[a->noptions++] = value ? argv[*i] : "";
    return 0;
}

int arguments_take(struct arguments *a, int argc, char **argv, const char *all, const char **wrong)
{
    *a = (struct arguments){.verb = NULL};
    for (int i = 1; i < argc; i++) {
        *wrong = argv[i];
        if (strncmp(argv[i], "--", 2) == 0) {
            if (take_option(a, argc, argv, &i, all) < 0)
                return -1;
        } else if (argv[i][0] == '-' && argv[i][1])
            return -1;
        else if (!a->verb)
            a->verb = argv[i];
        else if (a->nwords < ARGUMENTS_WORDS)
            a->words[a->nwords++] = argv[i];
        else
            return -1;
    }
    return 0;
}

bool arguments_allowed(const struct arguments *a, const char *options, const char **wrong)
{
    bool value;
    for (size_t i = 0; i < a->noptions; i++)
        if (!find(options, a->names[i], &value)) {
            *wrong = a->names[i];
            return false;
        }
    return true;
}

const char *arguments_option(const struct arguments *a, const char *name)
{
    for (size_t i = 0; i < a->noptions; i++)
        if (strcmp(a->names[i], name) == 0)
            return a->values[i];
    return NULL;
}

const char *arguments_word(const struct arguments *a, size_t i)
{
    return i < a->nwords ? a->words[i] : NULL;
}
