/* effect_op.c - the ops on persons, and the walk over all ops of a stage. */
#include <stdio.h>
#include <string.h>

#include "intranet-side/domain/effect_work.h"

/* moves: who comes from elsewhere; a child born into the household does not move. */
static bool may_enter(struct effect_work *w, const json_t *home, bool moves)
{
    if (!effect_is(home, "status", "normal"))
        work_refuse(w, "户号 %s 的户已经注销，不能落户，请核对要落的户", effect_text(home, "book_no"));
    else if (moves && effect_is(home, "frozen", "1"))
        work_refuse(w, "户号 %s 的地址已经冻结，不能迁入，请先核实解冻", effect_text(home, "book_no"));
    else
        return true;
    return false;
}

static void go_in(json_t *person, const json_t *home)
{
    json_object_set(person, "household_id", json_object_get(home, "household_id"));
}

static void clear(json_t *row, const char *const *columns)
{
    for (; *columns; columns++)
        json_object_del(row, *columns);
}
static const char *const of_cancelling[] = {"cancel_kind", "cancel_date", "cancel_reason", "move_out_region", "move_out_place", NULL};
static const char *const of_leaving[] = {"move_out_region", "move_out_place", NULL};

static bool number_stands(struct effect_work *w, const json_t *row)
{
    if (strlen(effect_text(row, "id_no")) == 18)
        return true;
    work_refuse(w, "没有公民身份号码，不能登记");
    return false;
}

static int add(struct effect_work *w, const json_t *op, json_t *home, struct err *e)
{
    struct effect_change *c = work_new(w, EFFECT_PERSON, "add_person", e);
    if (c == NULL)
        return -1;
    w->added = effect_text(c->after, "person_id");
    json_object_set_new(c->after, "status", json_string("normal"));
    go_in(c->after, home);
    may_enter(w, home, false);
    if (effect_set(w, c->after, json_object_get(op, "set"), e) < 0)
        return -1;
    number_stands(w, c->after);
    return 0;
}

/* Whoever comes with a number that is not known here: from another city, or from before the records began. */
static int add_with_number(struct effect_work *w, const json_t *op, const char *id_no, json_t *home, struct err *e)
{
    bool used = false;
    if (w->x->look.number_used(w->x->look.arg, id_no, &used, e) < 0)
        return -1;
    if (used)
        work_refuse(w, "身份证号 %s 已经停用（这个人换过号），请核对现在的号码", id_no);
    struct effect_change *c = work_new(w, EFFECT_PERSON, "admit_person", e);
    if (c == NULL)
        return -1;
    w->added = effect_text(c->after, "person_id");
    json_object_set_new(c->after, "id_no", json_string(id_no));
    json_object_set_new(c->after, "status", json_string("normal"));
    static const char *const parts[] = {"birth_date", "gender"};
    for (size_t i = 0; i < 2; i++) {
        json_t *from = json_pack("{s:{s:s, s:s}}", parts[i], "from", "id_no", "part", parts[i]);
        int rc = effect_set(w, c->after, from, e);
        json_decref(from);
        if (rc < 0)
            return -1;
    }
    go_in(c->after, home);
    may_enter(w, home, true);
    if (effect_set(w, c->after, json_object_get(op, "set_new"), e) < 0 || effect_set(w, c->after, json_object_get(op, "set"), e) < 0)
        return -1;
    if (!number_stands(w, c->after))
        return 0;
    if (*effect_text(c->after, "name") == '\0')
        work_refuse(w, "身份证号 %s 的人没有姓名，不能登记", id_no);
    return 0;
}

static int change(struct effect_work *w, const json_t *op, const char *kind, json_t *person, json_t *home, struct err *e)
{
    bool cancelled = effect_is(person, "status", "cancelled");
    if (!work_free(w, person))
        return 0;
    if (strcmp(kind, "restore_person") == 0 && !cancelled) {
        work_refuse(w, "%s的户口是正常状态，不用恢复", effect_text(person, "name"));
        return 0;
    }
    if (strcmp(kind, "move_person") == 0 && cancelled) {
        work_refuse(w, "%s的户口已经注销，不能迁移", effect_text(person, "name"));
        return 0;
    }
    if (strcmp(kind, "admit_person") == 0 && (effect_is(person, "cancel_kind", "death") || effect_is(person, "cancel_kind", "duplicate"))) {
        work_refuse(w, "%s已经登记%s，不能迁入，请核对身份证号", effect_text(person, "name"),
                    effect_is(person, "cancel_kind", "death") ? "死亡" : "为重复户口注销");
        return 0;
    }
    struct effect_change *c = work_touch(w, EFFECT_PERSON, kind, person, e);
    if (c == NULL)
        return -1;
    if (home && !effect_is(person, "household_id", effect_text(home, "household_id")))
        may_enter(w, home, true);
    else if (home && cancelled)
        may_enter(w, home, true);
    if (home)
        go_in(c->after, home);
    if (home && cancelled)
        json_object_set_new(c->after, "status", json_string("normal"));
    if (home)
        clear(c->after, cancelled ? of_cancelling : of_leaving);
    return effect_set(w, c->after, json_object_get(op, "set"), e);
}

static int lock(struct effect_work *w, const char *kind, json_t *person, struct err *e)
{
    if (*kind == 'u' && !effect_is(person, "lock_case", w->x->case_no))
        return 0;                        /* not ours to open */
    if (!work_free(w, person))
        return 0;
    struct effect_change *c = work_touch(w, EFFECT_PERSON, kind, person, e);
    if (c == NULL)
        return -1;
    if (*kind == 'l')
        json_object_set_new(c->after, "lock_case", json_string(w->x->case_no));
    else
        json_object_del(c->after, "lock_case");
    return 0;
}

/* Ops that need a household; the others leave it alone. */
static bool wants_home(const char *kind)
{
    return strcmp(kind, "add_person") == 0 || strcmp(kind, "restore_person") == 0 || strcmp(kind, "admit_person") == 0 || strcmp(kind, "move_person") == 0;
}

static int op_with(struct effect_work *w, const json_t *op, const char *kind, json_t *person, json_t *home, struct err *e)
{
    if (wants_home(kind) && home == NULL) {
        work_refuse(w, "没有找到要落的户，请核对户主的身份证号，或填写户口簿号");
        return 0;
    }
    if (strcmp(kind, "add_person") == 0)
        return add(w, op, home, e);
    if (person && (strcmp(kind, "lock_person") == 0 || strcmp(kind, "unlock_person") == 0))
        return lock(w, kind, person, e);
    if (person)
        return change(w, op, kind, person, home, e);
    const char *id_no = work_number(w, json_object_get(op, "person"));
    if (strcmp(kind, "admit_person") == 0 && *id_no)
        return add_with_number(w, op, id_no, home, e);
    if (strcmp(kind, "lock_person") != 0 && strcmp(kind, "unlock_person") != 0)      /* who lives elsewhere needs no lock of ours */
        work_refuse(w, "户籍登记里没有身份证号 %s 的人，请核对", *id_no ? id_no : "（未填）");
    return 0;
}

int op_person(struct effect_work *w, const json_t *op, const char *kind, struct err *e)
{
    json_t *person = NULL, *home = NULL;
    int rc = strcmp(kind, "add_person") == 0 ? 0 : work_person(w, json_object_get(op, "person"), &person, e);
    if (rc == 0 && wants_home(kind))
        rc = work_household(w, json_object_get(op, "household"), &home, e);
    if (rc == 0)
        rc = op_with(w, op, kind, person, home, e);
    json_decref(person);
    json_decref(home);
    return rc;
}

static int one(struct effect_work *w, const json_t *op, struct err *e)
{
    static const char *const persons[] = {"add_person", "update_person", "cancel_person", "restore_person", "admit_person", "move_person", "lock_person",
                                          "unlock_person"};
    const char *kind = effect_text(op, "op");
    if (strstr(kind, "_paper"))
        return op_paper(w, op, kind, e);
    for (size_t i = 0; i < sizeof persons / sizeof persons[0]; i++)
        if (strcmp(persons[i], kind) == 0)
            return op_person(w, op, persons[i], e);
    return op_household(w, op, kind, e);
}

/* The elements of a list of people, or the members of a household as they are before the first of them is touched. */
static int each(struct effect_work *w, const json_t *op, const char *over, struct err *e)
{
    json_t *list = NULL, *home = NULL, *v;
    size_t i;
    int rc = 0;
    if (strcmp(over, "@members") == 0) {
        if (work_household(w, json_object_get(op, "of"), &home, e) < 0)
            return -1;
        rc = home ? work_members(w, effect_text(home, "household_id"), &list, e) : 0;
        json_decref(home);
    } else {
        list = json_incref(json_object_get(w->x->entries, over));
    }
    json_array_foreach(list, i, v) {
        w->element = v;
        if (rc == 0)
            rc = one(w, op, e);
    }
    w->element = NULL;
    json_decref(list);
    return rc;
}

int effect_ops(struct effect_work *w, struct err *e)
{
    size_t i;
    json_t *op;
    json_array_foreach(json_object_get(w->rule, "ops"), i, op) {
        const char *over = json_string_value(json_object_get(op, "for_each"));
        if (!effect_in_stage(op, w->x->stage, "finish") || !effect_holds(w, json_object_get(op, "when")))
            continue;
        if ((over ? each(w, op, over, e) : one(w, op, e)) < 0)
            return -1;
    }
    return 0;
}
