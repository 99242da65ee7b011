/* effect_paper.c - what is issued on the register, seen from elsewhere, or comes to its end. */
#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/effect_work.h"

static const char *const kinds[] = {"booklet", "dispute_booklet", "migration_certificate", "permit", "e_permit", "certificate"};

/* The plan keeps only the name of its kind: a pointer of ours, whatever becomes of the rule. */
static const char *kind_of(const json_t *op)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (effect_is(op, "kind", kinds[i]))
            return kinds[i];
    return "";
}

static int text(struct effect_work *w, char *out, size_t cap, const json_t *src, struct err *e)
{
    struct buf b;
    out[0] = '\0';
    if (json_is_string(src)) {
        snprintf(out, cap, "%s", json_string_value(src));
        return 0;
    }
    if (src == NULL)
        return 0;
    buf_init(&b, 1024);
    int rc = effect_source(w, &b, src, "no", NULL, e);
    snprintf(out, cap, "%s", buf_text(&b));
    buf_clear(&b);
    return rc;
}

int paper_find(struct effect_work *w, const json_t *op, json_t **array, struct err *e)
{
    char no[64], person_id[40] = "", home_id[40] = "";
    json_t *person = NULL, *home = NULL;
    bool of_person = json_object_get(op, "person") != NULL, of_home = json_object_get(op, "household") != NULL;
    int rc = text(w, no, sizeof no, json_object_get(op, "no"), e);
    if (rc == 0 && of_person)
        rc = work_person(w, json_object_get(op, "person"), &person, e);
    if (rc == 0 && of_home)
        rc = work_household(w, json_object_get(op, "household"), &home, e);
    snprintf(person_id, sizeof person_id, "%s", effect_text(person, "person_id"));
    snprintf(home_id, sizeof home_id, "%s", effect_text(home, "household_id"));
    json_decref(person);
    json_decref(home);
    *array = json_array();
    if (rc < 0)
        return -1;
    bool by_case = json_is_true(json_object_get(op, "of_case")), by_no = json_object_get(op, "no") != NULL;
    if ((of_person && !*person_id) || (of_home && !*home_id) || (by_no && !*no) || !(of_person || of_home || by_no || by_case))
        return 0;
    struct paper_query q = {kind_of(op), home_id, person_id, no, by_case ? w->x->case_no : ""};
    json_decref(*array);
    *array = NULL;
    return w->x->look.papers(w->x->look.arg, &q, array, e);
}

static int end(struct effect_work *w, const json_t *op, struct err *e)
{
    json_t *list = NULL, *v;
    char status[32] = "";
    size_t i;
    int rc = paper_find(w, op, &list, e);
    if (rc == 0)
        rc = text(w, status, sizeof status, json_object_get(op, "status"), e);
    if (rc == 0 && json_array_size(list) && *status == '\0')
        work_refuse(w, "没有写明原来的证件怎么处理，请核对签发原因");
    json_array_foreach(list, i, v) {
        struct effect_change *c = rc == 0 ? work_touch(w, EFFECT_PAPER, "end_paper", v, e) : NULL;
        if (c == NULL)
            rc = -1;
        else
            json_object_set_new(c->after, "status", json_string(status));
    }
    json_decref(list);
    return rc;
}

/* Columns of the paper apart, everything else stands on it. */
static void lay_out(json_t *row)
{
    static const char *const own[] = {"paper_id", "kind", "no", "ours", "household_id", "person_id", "case_no", "unit_code", "issued", "valid_until", "status",
                                      "reason"};
    json_t *on = json_object(), *v;
    const char *k;
    void *next;
    json_object_foreach_safe(row, next, k, v) {
        bool ours = false;
        for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
            ours |= strcmp(own[i], k) == 0;
        if (ours)
            continue;
        json_object_set(on, k, v);
        json_object_del(row, k);
    }
    json_object_set_new(row, "content", on);
}

/* One certificate brings one person in: the same number again is another's, or copied. */
static int seen_before(struct effect_work *w, const json_t *op, const char *no, struct err *e)
{
    json_t *list = NULL, *v;
    size_t i;
    struct paper_query q = {kind_of(op), "", "", no, ""};
    int rc = effect_is(op, "kind", "migration_certificate") ? w->x->look.papers(w->x->look.arg, &q, &list, e) : 0;
    json_array_foreach(list, i, v)
        if (effect_is(v, "ours", "0") && !effect_is(v, "case_no", w->x->case_no))
            work_refuse(w, "编号 %s 的户口迁移证已经用过（受理号 %s），请核对", no, effect_text(v, "case_no"));
    json_decref(list);
    return rc;
}

static int number(struct effect_work *w, const json_t *op, json_t *row, bool ours, struct err *e)
{
    char no[64];
    if (!ours) {
        if (text(w, no, sizeof no, json_object_get(op, "no"), e) < 0)
            return -1;
        if (*no == '\0')
            work_refuse(w, "没有写明证件编号，请填写办结信息");
        else if (seen_before(w, op, no, e) < 0)
            return -1;
    } else if (w->x->look.draw(w->x->look.arg, kind_of(op), w->drawn_papers++, no, e) < 0) {
        return -1;
    }
    json_object_set_new(row, "no", json_string(no));
    return 0;
}

static int issue(struct effect_work *w, const json_t *op, bool ours, struct err *e)
{
    json_t *person = NULL, *home = NULL;
    struct effect_change *c = work_new(w, EFFECT_PAPER, ours ? "issue_paper" : "note_paper", e);
    if (c == NULL || (json_object_get(op, "person") && work_person(w, json_object_get(op, "person"), &person, e) < 0))
        return -1;
    if (json_object_get(op, "household") && work_household(w, json_object_get(op, "household"), &home, e) < 0) {
        json_decref(person);
        return -1;
    }
    json_t *row = c->after;
    json_object_set_new(row, "kind", json_string(kind_of(op)));
    json_object_set_new(row, "ours", json_string(ours ? "1" : "0"));
    json_object_set_new(row, "case_no", json_string(w->x->case_no));
    json_object_set_new(row, "unit_code", json_string(w->x->unit));
    json_object_set_new(row, "issued", json_string(w->x->today));
    json_object_set_new(row, "status", json_string("valid"));
    int rc = number(w, op, row, ours, e);
    if (rc == 0)
        rc = effect_set(w, row, json_object_get(op, "set"), e);
    if (person)
        json_object_set(row, "person_id", json_object_get(person, "person_id"));
    if (home)
        json_object_set(row, "household_id", json_object_get(home, "household_id"));
    lay_out(row);
    json_decref(person);
    json_decref(home);
    return rc;
}

int op_paper(struct effect_work *w, const json_t *op, const char *kind, struct err *e)
{
    if (strcmp(kind, "end_paper") == 0)
        return end(w, op, e);
    if (strcmp(kind, "issue_paper") == 0 || strcmp(kind, "note_paper") == 0)
        return issue(w, op, *kind == 'i', e);
    return err_set(e, ERR_INPUT, "effect: unknown op %s", kind);
}
