/* catalogue_guide.c - the questions that lead to a service: each of the catalogue, also one that is switched off, has its place in exactly one life
 * event in at most four questions, so that switching it on is enough; nobody is led in a circle or to nothing, and what an answer fills in is
 * something that the form can take. What leads only to services that are off is left out by whoever asks the questions. */
#include <string.h>

#include "common/catalogue_parts.h"

#define MAX_QUESTIONS 4
#define MAX_HOME 8

struct path {                        /* the answers given so far: their nodes and what they fill in */
    const json_t *node[MAX_QUESTIONS + 1], *presets[MAX_QUESTIONS + 1];
    size_t n;
};
struct walk {
    const struct catalogue *c;
    const json_t *nodes, *event;     /* event: the one walked from now */
    json_t *seen, *reached;          /* node id -> true; item code -> id of its event */
    struct path path;
    struct err *e;
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static const json_t *node_of(const struct walk *w, const char *id)
{
    size_t i;
    json_t *node;
    json_array_foreach(w->nodes, i, node)
        if (strcmp(text_of(node, "id"), id) == 0)
            return node;
    return NULL;
}

static int texts(const json_t *o, const char *const *keys, const struct place *at, struct err *e)
{
    const char *s;
    for (; *keys; keys++)
        if (text_key(&s, o, *keys, true, at, e) < 0)
            return -1;
    return 0;
}

static int keys_known(const json_t *o, const char *const *keys, const struct place *at, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v) {
        const char *const *k = keys;
        while (*k && strcmp(*k, key) != 0)
            k++;
        if (!*k)
            return err_set(e, ERR_INPUT, "%s: key %s: want one of those of schemas/guide/README.md", at->s, key);
    }
    return 0;
}

/* What an answer fills in must be a field of this item's family, with a value that field and item allow. */
static int preset_fits(const struct item *it, const char *id, const json_t *v, const struct place *at, struct err *e)
{
    const struct field *f = family_field(it->family, id);
    const json_t *own = f ? family_preset(it->family, it->code, id) : NULL;
    const char *s = json_string_value(v);
    bool fits = f && (f->type == FIELD_BOOLEAN ? json_is_boolean(v) : s && *s && (f->type != FIELD_ENUM || field_allows(f, s)));
    size_t i;
    json_t *allowed;
    if (!f)
        return err_set(e, ERR_INPUT, "%s: presets: want fields of %s, have \"%s\" on the way to %s", at->s, it->family->id, id, it->code);
    bool among = !own;
    json_array_foreach(own, i, allowed)
        among = among || json_equal(allowed, v);
    fits = fits && among;
    return fits ? 0 : want(e, at, id, "a preset that the item on its way can take", v);
}

static int presets_fit(const struct walk *w, const struct item *it, const struct place *at)
{
    for (size_t i = 0; i < w->path.n; i++) {
        const char *id;
        json_t *v;
        json_object_foreach((json_t *)w->path.presets[i], id, v)
            if (preset_fits(it, id, v, at, w->e) < 0)
                return -1;
    }
    return 0;
}

static int reach_item(struct walk *w, const char *code, const struct place *at)
{
    const struct item *it = catalogue_item(w->c, code);
    const char *event = text_of(w->event, "id"), *before = json_string_value(json_object_get(w->reached, code));
    if (!it)
        return err_set(w->e, ERR_INPUT, "%s: item: want a service of the catalogue, have \"%s\"", at->s, code);
    if (before && strcmp(before, event) != 0)
        return err_set(w->e, ERR_INPUT, "%s: item %s: want it in one life event, have %s and %s", at->s, code, before, event);
    if (json_object_set_new(w->reached, code, json_string(event)) < 0)
        return NO_MEMORY(w->e);
    return presets_fit(w, it, at);
}

static int check_stop(const json_t *stop, const struct place *at, struct err *e)
{
    static const char *const words[] = { "phone", "book", "ask" };
    const json_t *actions = json_object_get(stop, "actions");
    size_t i;
    json_t *v;
    if (!*text_of(stop, "text") || json_array_size(actions) == 0)
        return want(e, at, "stop", "words and a way on", stop);
    json_array_foreach(actions, i, v) {
        size_t k = 0;
        while (k < 3 && (!json_is_string(v) || strcmp(json_string_value(v), words[k]) != 0))
            k++;
        if (k == 3)
            return want(e, at, "stop", "phone, book or ask", v);
    }
    return 0;
}

static int walk_node(struct walk *w, const char *id, const struct place *from);

static int walk_answer(struct walk *w, const json_t *answer, const struct place *at)
{
    static const char *const keys[] = { "label", "hint", "presets", "next", "item", "stop", NULL }, *const label[] = { "label", NULL };
    const json_t *next = json_object_get(answer, "next"), *item = json_object_get(answer, "item"), *stop = json_object_get(answer, "stop");
    const json_t *presets = json_object_get(answer, "presets");
    if (keys_known(answer, keys, at, w->e) < 0 || texts(answer, label, at, w->e) < 0)
        return -1;
    if (next && item)
        return err_set(w->e, ERR_INPUT, "%s: answer \"%s\": want one of next and item, have both", at->s, text_of(answer, "label"));
    if (!next && !item && !stop)
        return err_set(w->e, ERR_INPUT, "%s: answer \"%s\": want next, item or stop, have none", at->s, text_of(answer, "label"));
    if (presets && !json_is_object(presets))
        return want(w->e, at, "presets", "an object", presets);
    if (stop && check_stop(stop, at, w->e) < 0)
        return -1;
    if (!next && !item)
        return 0;
    w->path.presets[w->path.n - 1] = presets;
    return item ? reach_item(w, json_is_string(item) ? json_string_value(item) : "", at) : walk_node(w, json_is_string(next) ? json_string_value(next) : "", at);
}

static int walk_node(struct walk *w, const char *id, const struct place *from)
{
    const struct place at = place_of("guide/guide.json: node %s", id);
    static const char *const keys[] = { "id", "question", "hint", "answers", NULL }, *const question[] = { "question", NULL };
    const json_t *node = node_of(w, id), *answers = json_object_get(node, "answers");
    size_t i;
    json_t *answer;
    if (!node)
        return err_set(w->e, ERR_INPUT, "%s: want a node of the guide, have \"%s\"", from->s, id);
    for (i = 0; i < w->path.n; i++)
        if (w->path.node[i] == node)
            return err_set(w->e, ERR_INPUT, "%s: want no way back to it, have a circle", at.s);
    if (w->path.n == MAX_QUESTIONS)
        return err_set(w->e, ERR_INPUT, "%s: want at most %d questions before a service, have more", at.s, MAX_QUESTIONS);
    if (keys_known(node, keys, &at, w->e) < 0 || texts(node, question, &at, w->e) < 0)
        return -1;
    if (json_array_size(answers) == 0)
        return err_set(w->e, ERR_INPUT, "%s: answers: want some, have none", at.s);
    if (json_object_set_new(w->seen, id, json_true()) < 0)
        return NO_MEMORY(w->e);
    w->path.node[w->path.n++] = node;
    json_array_foreach(answers, i, answer) {
        w->path.presets[w->path.n - 1] = NULL;
        if (walk_answer(w, answer, &at) < 0)
            return -1;
    }
    w->path.n--;
    return 0;
}

/* The list beside an event says how many services it holds: it must be what its answers reach. */
static int event_items(const struct walk *w, const struct place *at)
{
    const char *code, *id = text_of(w->event, "id");
    const json_t *items = json_object_get(w->event, "items");
    size_t i, n = 0;
    json_t *v;
    json_object_foreach(w->reached, code, v)
        n += strcmp(json_string_value(v), id) == 0;
    json_array_foreach(items, i, v) {
        const char *event = json_is_string(v) ? json_string_value(json_object_get(w->reached, json_string_value(v))) : NULL;
        if (!event || strcmp(event, id) != 0)
            return want(w->e, at, "items", "services that its answers reach", v);
    }
    return json_array_size(items) == n ? 0
           : err_set(w->e, ERR_INPUT, "%s: items: want the %zu that its answers reach, have %zu", at->s, n, json_array_size(items));
}

static int walk_events(struct walk *w, const json_t *events)
{
    static const char *const keys[] = { "id", "title", "icon", "home", "start", "items", NULL }, *const must[] = { "id", "title", "icon", "start", NULL };
    size_t i, home = 0;
    json_t *event;
    json_array_foreach(events, i, event) {
        const struct place at = place_of("guide/guide.json: event %s", text_of(event, "id"));
        w->event = event;
        w->path.n = 0;
        home += json_is_true(json_object_get(event, "home"));
        if (keys_known(event, keys, &at, w->e) < 0 || texts(event, must, &at, w->e) < 0 || walk_node(w, text_of(event, "start"), &at) < 0 ||
            event_items(w, &at) < 0)
            return -1;
    }
    return home <= MAX_HOME ? 0 : err_set(w->e, ERR_INPUT, "guide/guide.json: events: want at most %d at home, have %zu", MAX_HOME, home);
}

static int all_reached(const struct walk *w)
{
    size_t i;
    json_t *node;
    for (i = 0; i < w->c->n_items; i++)
        if (!json_object_get(w->reached, w->c->items[i].code))
            return err_set(w->e, ERR_INPUT, "guide/guide.json: item %s: want a way to it, have none", w->c->items[i].code);
    json_array_foreach(w->nodes, i, node)
        if (!json_object_get(w->seen, text_of(node, "id")))
            return err_set(w->e, ERR_INPUT, "guide/guide.json: node %s: want an answer that leads to it, have none", text_of(node, "id"));
    return json_object_size(w->seen) == json_array_size(w->nodes) ? 0 : err_set(w->e, ERR_INPUT, "guide/guide.json: nodes: want each id once, have one twice");
}

int catalogue_check_guide(const struct catalogue *c, struct err *e)
{
    static const char *const words[] = { "none_of_these", "window_only", NULL };
    const struct place at = place_of("guide/guide.json");
    const json_t *guide = json_object_get(catalogue_part(c, "guide"), "guide"), *events;
    struct walk w = { .c = c, .e = e };
    if (!guide)
        return 0;
    if (texts(guide, words, &at, e) < 0 || list_key(&w.nodes, guide, "nodes", true, &at, e) < 0 || list_key(&events, guide, "events", true, &at, e) < 0)
        return -1;
    w.seen = json_object();
    w.reached = json_object();
    int rc = w.seen && w.reached ? 0 : NO_MEMORY(e);
    if (rc == 0)
        rc = walk_events(&w, events) < 0 ? -1 : all_reached(&w);
    json_decref(w.seen);
    json_decref(w.reached);
    return rc;
}
