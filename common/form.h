/* form.h - the one judge of what was filled in: fields, rules across fields, materials.
 * Used by the internet service, the intranet service and (as common/web/rules.ts) by both web apps: same data, same verdicts,
 * same sentences, held together by tests/unit/rules-cases.json.
 * Owns:    struct form_report owns its findings and clean entries until form_report_clear.
 * Threads: no shared state; a catalogue may be used by many.
 * Findings carry no personal data in `want` and `have`: counts, types, codes and names of rules only. */
#ifndef COMMON_FORM_H
#define COMMON_FORM_H

#include "common/catalogue.h"
#include "common/clock.h"

/* Who signed in, as verified; members NULL where not known. */
struct form_identity { const char *name, *id_no, *phone; };

struct form_context {
    struct date today;                       /* Beijing */
    const struct form_identity *identity;    /* NULL: nothing is filled from it or compared with it (window, import) */
    /* A supplement (补正): NULL, or the only fields that may and must have a value, NULL-terminated. The others are elsewhere, so
     * conditions and rules that need them are not judged; the intranet judges the merged form. */
    const char *const *only;
};

struct form_finding {
    char *field;      /* "child_name", "movers.0.id_no", "material.3", "material.A"; "" for the whole */
    char *rule;       /* names in schemas/forms/README.md and below, or the id of a family's rule */
    char *want, *have;
    char *message;    /* Chinese, to be shown as it stands */
};
struct form_report {
    struct form_finding *v;
    size_t n, have_room;
    json_t *clean;    /* normalised, presets and derived values filled in; whole only when n == 0 */
};
/* Beside the names of the README: invisible_char, private_char, combining_char (what xml_char would not say), id_fifteen, id_characters,
 * pinyin (at "<field>_pinyin"), repeat_min, repeat_max, and the material_* below. A blank or null value is never an answer: "required" or
 * "type" even where the field may be absent. One finding a field; rules across fields look only at fields that are good. */

/* Parse entries from bytes: one object, repeated keys refused, depth and size bounded (64 KiB). *out is a new reference. */
int form_parse(json_t **out, struct bytes json, struct err *e);

/* Judge entries for an item. 0: judged, out->n findings (0 = good). -1: unknown item (ERR_MISSING), entries not an object
 * (ERR_INPUT), no memory. *out is set in every case and wants form_report_clear. */
int form_check(struct form_report *out, const struct catalogue *c, const char *item, const json_t *entries,
               const struct form_context *ctx, struct err *e);
void form_report_clear(struct form_report *r);
/* [{"field","rule","want","have","message"}], the shape of `fields` in error answers. New reference. */
json_t *form_report_json(const struct form_report *r);

/* Whether all conditions hold for these entries (values of other fields; invisible ones count as absent in `clean`). */
bool form_holds(const struct conditions *c, const json_t *entries);

enum form_need {
    FORM_REQUIRED,    /* must be there */
    FORM_ONE_OF,      /* one of its group must be there; the last one shown of a group is FORM_REQUIRED */
    FORM_OPTIONAL,    /* welcome: its condition is for people to decide */
    FORM_HIDDEN       /* not for this person */
};
struct form_material { const struct material *m; enum form_need need; };
/* One entry per material of the item that the applicant supplies, in order. *out is malloc'ed, free() it. Materials that officers
 * supply are left out. clean may be partly filled: what cannot be decided yet is FORM_HIDDEN. A passed verification waives the original,
 * not the upload; an electronic licence counts as the paper where the material takes one. */
int form_materials(struct form_material **out, size_t *n, const struct catalogue *c, const char *item,
                   const json_t *clean, struct err *e);

#define FORM_SLOT_CHARACTER 99               /* photo of a character that cannot be typed */
#define FORM_MAX_PAGES 40                    /* pages in one slot */
struct form_slot {
    int no;
    int pages;           /* 0: nothing there */
    bool licence;        /* an electronic licence stands for it */
};
/* Adds findings to out (which must be initialised: {0} or after form_check): material_required, material_group, material_unknown,
 * material_hidden, material_pages, material_repeated. Same return as form_check. */
int form_check_materials(struct form_report *out, const struct catalogue *c, const char *item, const json_t *clean,
                         const struct form_slot *slots, size_t n_slots, struct err *e);

#endif
