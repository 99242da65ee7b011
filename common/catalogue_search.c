/* catalogue_search.c - the words by which services are found: a phone builds its search from them, so their shape must hold. */
#include <string.h>

#include "common/catalogue_parts.h"

#define MAX_WORD 40                  /* characters of three bytes */

static int text_list(const json_t *list, size_t least, const char *key, const struct place *at, struct err *e)
{
    size_t i;
    json_t *v;
    if (!json_is_array(list) || json_array_size(list) < least)
        return want(e, at, key, least ? "a list of at least one word" : "a list of words", list);
    json_array_foreach(list, i, v)
        if (!json_is_string(v) || !*json_string_value(v) || json_string_length(v) > MAX_WORD * 3)
            return want(e, at, key, "words of at most 40 characters", v);
    return 0;
}

/* A word in two groups would mean both, and which one is found first would be chance. */
static int check_synonyms(const json_t *groups, const struct place *at, struct err *e)
{
    json_t *seen = json_object(), *group, *v;
    size_t i, k;
    int rc = !seen ? NO_MEMORY(e) : json_is_array(groups) ? 0 : want(e, at, "synonyms", "a list", groups);
    json_array_foreach(groups, i, group) {
        rc = rc < 0 ? rc : text_list(group, 1, "synonyms", at, e);
        json_array_foreach(group, k, v) {
            if (rc == 0 && json_object_get(seen, json_string_value(v)))
                rc = want(e, at, "synonyms", "each word in one group", v);
            if (rc == 0 && json_object_set_new(seen, json_string_value(v), json_true()) < 0)
                rc = NO_MEMORY(e);
        }
    }
    json_decref(seen);
    return rc;
}

static int check_words(const struct catalogue *c, const json_t *words, const struct place *at, struct err *e)
{
    const char *code;
    json_t *v;
    if (!json_is_object(words))
        return want(e, at, "words", "an object", words);
    json_object_foreach((json_t *)words, code, v) {
        if (!catalogue_item(c, code))
            return err_set(e, ERR_INPUT, "%s: words: want codes of the catalogue, have \"%s\"", at->s, code);
        if (text_list(v, 0, code, at, e) < 0)
            return -1;
    }
    return 0;
}

/* Syllable -> characters, or word -> syllables: latin letters on one side, any text on the other. */
static int check_sounds(const json_t *o, const char *key, bool latin_key, const struct place *at, struct err *e)
{
    const char *k;
    json_t *v;
    if (!json_is_object(o))
        return want(e, at, key, "an object", o);
    json_object_foreach((json_t *)o, k, v) {
        const char *latin = latin_key ? k : json_string_value(v);
        if (!json_is_string(v) || !*json_string_value(v))
            return want(e, at, key, "text", v);
        if (!*latin || strspn(latin, latin_key ? "abcdefghijklmnopqrstuvwxyz" : "abcdefghijklmnopqrstuvwxyz ") != strlen(latin))
            return err_set(e, ERR_INPUT, "%s: %s: want syllables in small letters, have \"%s\"", at->s, key, latin);
    }
    return 0;
}

int catalogue_check_search(const struct catalogue *c, struct err *e)
{
    const struct place at = place_of("guide/search.json");
    const json_t *s = catalogue_part(c, "search");
    if (!s)
        return 0;
    return text_list(json_object_get(s, "fillers"), 0, "fillers", &at, e) < 0 || check_synonyms(json_object_get(s, "synonyms"), &at, e) < 0 ||
           check_words(c, json_object_get(s, "words"), &at, e) < 0 || check_sounds(json_object_get(s, "sounds"), "sounds", true, &at, e) < 0 ||
           check_sounds(json_object_get(s, "readings"), "readings", false, &at, e) < 0 ? -1 : 0;
}
