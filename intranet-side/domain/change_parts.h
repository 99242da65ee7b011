/* change_parts.h - what the files of the changes share. Not for others. */
#ifndef INTRANET_DOMAIN_CHANGE_PARTS_H
#define INTRANET_DOMAIN_CHANGE_PARTS_H

#include "intranet-side/domain/change.h"

enum change_kind { KIND_TEXT, KIND_TEXTS, KIND_FLAG, KIND_MATERIALS, KIND_CONDITIONS, KIND_CODES };
enum change_target { TARGET_ITEM, TARGET_FIELD, TARGET_NODE, TARGET_ANSWER, TARGET_EVENT };
struct change_rule {
    enum change_target target;
    const char *member;                  /* last step of the path, "facts.fee" for a member of a member */
    enum change_kind kind;
    bool nullable, district;
    long max;                            /* characters of a text */
    size_t most;                         /* members of a list */
    const char *label;                   /* as administrators read it */
};
/* A change taken apart; texts point into it. */
struct change {
    const char *region, *item, *path;
    const json_t *value;                 /* NULL: reset */
    const struct change_rule *rule;      /* NULL: there is no such place */
    char id[64];                         /* of the field, node or event */
    long answer;
};
void change_take(struct change *out, const json_t *change);
const char *change_text(const json_t *o, const char *key);       /* "" */

#endif
