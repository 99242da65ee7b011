/* effect_keep.c - what the register keeps whatever a rule says: who carries whose number, and one head in each household that has members. */
#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/effect_work.h"

/* --- a new name or number stands at the relatives of the household too --- */
static void follow_one(json_t *row, const char *who, const json_t *before, const json_t *after)
{
    char number[24], name[24];
    snprintf(number, sizeof number, "%s_id_no", who);
    snprintf(name, sizeof name, "%s_name", who);
    if (*effect_text(before, "id_no") == '\0' || !effect_is(row, number, effect_text(before, "id_no")))
        return;
    json_object_set(row, number, json_object_get(after, "id_no"));
    json_object_set(row, name, json_object_get(after, "name"));
}

static bool is_relative(const json_t *row, const char *id_no)
{
    return *id_no && (effect_is(row, "father_id_no", id_no) || effect_is(row, "mother_id_no", id_no) || effect_is(row, "spouse_id_no", id_no));
}

static int follow(struct effect_work *w, const json_t *before, const json_t *after, struct err *e)
{
    json_t *members = NULL, *m;
    size_t i;
    int rc = work_members(w, effect_text(after, "household_id"), &members, e);
    json_array_foreach(members, i, m) {
        if (rc < 0 || !is_relative(m, effect_text(before, "id_no")))
            continue;
        struct effect_change *c = work_touch(w, EFFECT_PERSON, "update_person", m, e);
        rc = c ? 0 : -1;
        static const char *const who[] = {"father", "mother", "spouse"};
        for (size_t k = 0; c && k < 3; k++)
            follow_one(c->after, who[k], before, after);
    }
    json_decref(members);
    return rc;
}

/* --- households --- */
struct homes { char id[EFFECT_MAX_CHANGES * 2][40]; size_t n; };

static void note_home(struct homes *h, const char *id)
{
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->id[i], id) == 0)
            return;
    if (*id && h->n < sizeof h->id / sizeof h->id[0])
        snprintf(h->id[h->n++], 40, "%s", id);
}

static json_t *member(const json_t *members, const char *person_id)
{
    size_t i;
    json_t *m;
    json_array_foreach(members, i, m)
        if (effect_is(m, "person_id", person_id))
            return m;
    return NULL;
}

static int appoint(struct effect_work *w, json_t *home, json_t *first, struct err *e)
{
    struct effect_change *h = work_touch(w, EFFECT_HOUSEHOLD, "set_head", home, e);
    struct effect_change *c = h ? work_touch(w, EFFECT_PERSON, "set_head", first, e) : NULL;
    if (c == NULL)
        return -1;
    json_object_set(h->after, "head_person_id", json_object_get(first, "person_id"));
    json_object_set_new(c->after, "relation_to_head", json_string("02"));
    return 0;
}

/* Nobody is left: a family household ends, a collective one waits for the next. */
static int emptied(struct effect_work *w, json_t *home, struct err *e)
{
    struct effect_change *h = work_planned(w, EFFECT_HOUSEHOLD, effect_text(home, "household_id"));
    if (!household_collective(home) && h && h->before == NULL) {
        work_refuse(w, "新立的家庭户里没有人，请核对户主");
        return 0;
    }
    if (!effect_is(home, "status", "normal"))
        return 0;
    h = work_touch(w, EFFECT_HOUSEHOLD, "end_household", home, e);
    if (h == NULL)
        return -1;
    json_object_del(h->after, "head_person_id");
    if (!household_collective(home)) {
        json_object_set_new(h->after, "status", json_string("cancelled"));
        json_object_set_new(h->after, "ended", json_string(w->x->today));
    }
    return 0;
}

static int relate(struct effect_work *w, json_t *person, const char *relation, struct err *e)
{
    struct effect_change *c = work_touch(w, EFFECT_PERSON, "update_person", person, e);
    if (c == NULL)
        return -1;
    json_object_set_new(c->after, "relation_to_head", json_string(relation));
    return 0;
}

/* Only the head is 户主. Who was one where he comes from is that no longer; a relation that the application gives wrongly has to be answered. */
static int relations(struct effect_work *w, const json_t *home, const json_t *members, struct err *e)
{
    size_t i;
    json_t *m;
    json_array_foreach(members, i, m) {
        bool head = effect_is(m, "person_id", effect_text(home, "head_person_id")), says = effect_is(m, "relation_to_head", "02");
        struct effect_change *c = work_planned(w, EFFECT_PERSON, effect_text(m, "person_id"));
        int rc = 0;
        if (c == NULL || head == says)
            continue;
        if (head)
            rc = relate(w, m, "02", e);
        else if (household_collective(home) || effect_is(c->before, "relation_to_head", "02"))
            rc = relate(w, m, household_collective(home) ? "99" : "97", e);
        else
            work_refuse(w, "%s与户主关系填的是“户主”，户内已经有户主，请核对关系", effect_text(m, "name"));
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int keep_home(struct effect_work *w, const char *id, struct err *e)
{
    json_t *home = NULL, *members = NULL;
    if (work_household_by_id(w, id, &home, e) < 0)
        return -1;
    int rc = home ? work_members(w, id, &members, e) : 0;
    const json_t *head = member(members, effect_text(home, "head_person_id"));
    size_t n = json_array_size(members);
    if (rc == 0 && home && n == 0)
        rc = emptied(w, home, e);
    else if (rc == 0 && home && head == NULL && household_collective(home))
        rc = appoint(w, home, json_array_get(members, 0), e);
    else if (rc == 0 && home && head == NULL && *effect_text(home, "head_person_id"))
        work_refuse(w, "户主%s还有 %zu 名家庭成员在户内：请在办结信息里填写原户的新户主，或先办理户主变更", effect_text(home, "head_name"), n);
    else if (rc == 0 && home && head == NULL)
        work_refuse(w, "户号 %s 没有户主，请先确定户主", effect_text(home, "book_no"));
    if (rc == 0 && home) {
        json_t *now = NULL, *present = NULL;
        if ((rc = work_household_by_id(w, id, &now, e)) == 0 && (rc = work_members(w, id, &present, e)) == 0)
            rc = relations(w, now, present, e);
        json_decref(now);
        json_decref(present);
    }
    json_decref(members);
    json_decref(home);
    return rc;
}

int effect_keep(struct effect_work *w, struct err *e)
{
    struct homes h = {.n = 0};
    size_t n = w->p->n;
    for (size_t i = 0; i < n; i++) {
        struct effect_change *c = &w->p->v[i];
        if (c->kind == EFFECT_PERSON && c->before &&
            (!effect_is(c->after, "id_no", effect_text(c->before, "id_no")) || !effect_is(c->after, "name", effect_text(c->before, "name"))) &&
            follow(w, c->before, c->after, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < w->p->n; i++) {
        const struct effect_change *c = &w->p->v[i];
        if (c->kind == EFFECT_PAPER)
            continue;
        note_home(&h, effect_text(c->before, "household_id"));
        note_home(&h, effect_text(c->after, "household_id"));
    }
    for (size_t i = 0; i < h.n; i++)
        if (keep_home(w, h.id[i], e) < 0)
            return -1;
    return 0;
}
