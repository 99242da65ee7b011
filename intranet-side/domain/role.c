#include "intranet-side/domain/role.h"

#include <stddef.h>
#include <string.h>

static const struct { enum role role; const char *word, *name, *level; } roles[] = {
    {ROLE_AUX, "aux", "辅警", "station"},
    {ROLE_OFFICER, "officer", "民警", "station"},
    {ROLE_SUB_BUREAU, "sub_bureau", "分局审批", "sub_bureau"},
    {ROLE_ADMIN, "admin", "管理员", "city"},
    {ROLE_SYSTEM, "system", "系统", ""},
};
enum { N_ROLES = sizeof roles / sizeof roles[0] };

enum role role_parse(const char *word)
{
    for (size_t i = 0; i < N_ROLES; i++)
        if (strcmp(roles[i].word, word) == 0)
            return roles[i].role;
    return ROLE_NONE;
}

const char *role_word(enum role r)
{
    for (size_t i = 0; i < N_ROLES; i++)
        if (roles[i].role == r)
            return roles[i].word;
    return "";
}

const char *role_name(enum role r)
{
    for (size_t i = 0; i < N_ROLES; i++)
        if (roles[i].role == r)
            return roles[i].name;
    return "";
}

const char *role_level(enum role r)
{
    for (size_t i = 0; i < N_ROLES; i++)
        if (roles[i].role == r)
            return roles[i].level;
    return "";
}
