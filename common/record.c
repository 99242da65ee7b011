/* record.c - reading the parser child's flat answer, and writing XML. */
#include "common/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 24000u
#define ATTRS_MAX 64000u
#define DEPTH_MAX 8

/* One block: nodes and attributes first, then their strings. Sized before it is filled, so nothing moves. */
struct arena {
    struct rec_node *nodes;
    struct rec_attr *attrs;
    char *text;
    size_t nnodes, nattrs, ntext;          /* used */
};

struct sizes { size_t nodes, attrs, text; };

/* First pass: the events are well formed, and how much they need. */
static int measure(struct bytes flat, struct sizes *s, struct err *e)
{
    struct cursor c = {.in = flat};
    size_t depth = 0;
    while (c.at < flat.n && !c.bad) {
        switch (cur_u8(&c)) {
        case 'S': s->nodes++; depth++; s->text += cur_take(&c, cur_u16(&c)).n + 1; break;
        case 'A': s->attrs++; s->text += cur_take(&c, cur_u16(&c)).n + 1; s->text += cur_take(&c, cur_u32(&c)).n + 1; break;
        case 'T': s->text += cur_take(&c, cur_u32(&c)).n + 1; break;
        case 'C': if (depth-- == 0) c.bad = true; break;
        default: c.bad = true;
        }
        if (depth > DEPTH_MAX || s->nodes > NODES_MAX || s->attrs > ATTRS_MAX || (depth == 0 && c.at < flat.n))
            c.bad = true;
    }
    return c.bad || depth || !s->nodes ? err_set(e, ERR_HELD, "parser: answered nonsense") : 0;
}

static char *keep(struct arena *a, struct bytes b)
{
    char *s = a->text + a->ntext;
    if (b.n)
        memcpy(s, b.p, b.n);
    s[b.n] = 0;
    a->ntext += b.n + 1;
    return s;
}

static struct rec_node *open_node(struct arena *a, struct rec_node *parent, struct rec_node **last, struct bytes name)
{
    struct rec_node *n = &a->nodes[a->nnodes++];
    *n = (struct rec_node){.name = keep(a, name), .text = "", .attrs = a->attrs + a->nattrs, .parent = parent};
    if (*last)
        (*last)->next = n;
    else if (parent)
        parent->child = n;
    *last = NULL;
    return n;
}

/* Text of one element may come in pieces only around children: the schemas have no mixed content, so the first piece with substance is kept. */
static void add_text(struct arena *a, struct rec_node *n, struct bytes b)
{
    if (n->text_len == 0 && b.n) {
        n->text = keep(a, b);
        n->text_len = b.n;
    }
}

static int build(struct arena *a, struct bytes flat, struct err *e)
{
    struct cursor c = {.in = flat};
    struct rec_node *at = NULL, *last = NULL;
    while (c.at < flat.n) {
        switch (cur_u8(&c)) {
        case 'S': at = open_node(a, at, &last, cur_take(&c, cur_u16(&c))); break;
        case 'A': {
            struct bytes name = cur_take(&c, cur_u16(&c)), value = cur_take(&c, cur_u32(&c));
            if (!at || at->child || at->attrs + at->nattrs != a->attrs + a->nattrs)
                return err_set(e, ERR_HELD, "parser: attribute in the wrong place");
            a->attrs[a->nattrs++] = (struct rec_attr){keep(a, name), keep(a, value)};
            at->nattrs++;
            break;
        }
        case 'T': add_text(a, at, cur_take(&c, cur_u32(&c))); break;
        default:
            last = at;
            at = (struct rec_node *)(uintptr_t)at->parent;
        }
    }
    return 0;
}

static int decode(struct record *out, struct bytes flat, struct err *e)
{
    struct sizes s = {0};
    struct arena a = {0};
    if (measure(flat, &s, e) < 0)
        return -1;
    size_t head = s.nodes * sizeof *a.nodes + s.attrs * sizeof *a.attrs;
    char *block = calloc(1, head + s.text + 1);
    if (!block)
        return err_set(e, ERR_FULL, "record: no memory");
    a.nodes = (struct rec_node *)(void *)block;
    a.attrs = (struct rec_attr *)(void *)(block + s.nodes * sizeof *a.nodes);
    a.text = block + head;
    if (build(&a, flat, e) < 0) {
        free(block);
        return -1;
    }
    *out = (struct record){a.nodes, block};
    return 0;
}

int record_parse(struct record *out, struct child_pool *parser, char document, const char *xsd, struct bytes xml, struct err *e)
{
    struct buf ask, answer;
    *out = (struct record){0};
    buf_init(&ask, 0);
    buf_init(&answer, 0);
    buf_u8(&ask, (uint8_t)document);
    buf_u16(&ask, (uint16_t)strlen(xsd));
    buf_str(&ask, xsd);
    buf_put(&ask, xml.p, xml.n);
    int rc = buf_done(&ask, xsd, e);
    if (rc == 0)
        rc = child_call(parser, buf_bytes(&ask), &answer, e);
    if (rc == 0)
        rc = decode(out, buf_bytes(&answer), e);
    buf_wipe(&ask);
    buf_wipe(&answer);
    return rc;
}

void record_free(struct record *r)
{
    free(r->arena);
    *r = (struct record){0};
}

const char *rec_attr(const struct rec_node *n, const char *name)
{
    for (size_t i = 0; i < n->nattrs; i++)
        if (strcmp(n->attrs[i].name, name) == 0)
            return n->attrs[i].value;
    return "";
}

int64_t rec_attr_int(const struct rec_node *n, const char *name, int64_t min, int64_t max)
{
    const char *s = rec_attr(n, name);
    bool minus = *s == '-';
    uint64_t v;
    if (parse_u64(s + minus, 0, INT64_MAX, &v, name, NULL) < 0)
        return 0;
    int64_t value = minus ? -(int64_t)v : (int64_t)v;
    return value < min || value > max ? 0 : value;
}

static const struct rec_node *named(const struct rec_node *n, const char *name)
{
    while (n && strcmp(n->name, name) != 0)
        n = n->next;
    return n;
}

const struct rec_node *rec_child(const struct rec_node *n, const char *name)
{
    return named(n->child, name);
}

const struct rec_node *rec_next(const struct rec_node *n, const char *name)
{
    return named(n->next, name);
}

const char *rec_child_text(const struct rec_node *n, const char *name)
{
    const struct rec_node *c = rec_child(n, name);
    return c ? c->text : "";
}

/* --- writing --- */

/* Length of the character at p if XML 1.0 can carry it, else 0: valid UTF-8, no control but tab, line feed, return, no U+FFFE, U+FFFF. */
static size_t carried(const unsigned char *p)
{
    if (p[0] < 0x80)
        return p[0] >= 0x20 || p[0] == '\t' || p[0] == '\n' || p[0] == '\r' ? 1 : 0;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    uint32_t v = p[0] & (0xffu >> (n + 1));
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (p[i] & 0x3fu);
    }
    bool over = (n == 3 && v < 0x800) || (n == 4 && v < 0x10000) || v > 0x10ffff;
    return over || (v >= 0xd800 && v <= 0xdfff) || v == 0xfffe || v == 0xffff ? 0 : n;
}

static void escaped(struct xml_out *x, const char *text, bool attr)
{
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t n = carried(p);
        if (n == 0) {
            x->out.bad = true;
            return;
        }
        if (*p == '&') buf_str(&x->out, "&amp;");
        else if (*p == '<') buf_str(&x->out, "&lt;");
        else if (*p == '>') buf_str(&x->out, "&gt;");
        else if (*p == '\r') buf_str(&x->out, "&#13;");
        else if (attr && *p == '"') buf_str(&x->out, "&quot;");
        else if (attr && *p == '\n') buf_str(&x->out, "&#10;");
        else if (attr && *p == '\t') buf_str(&x->out, "&#9;");
        else buf_put(&x->out, p, n);
        p += n;
    }
}

static void end_tag_head(struct xml_out *x)
{
    if (x->in_tag)
        buf_str(&x->out, ">");
    x->in_tag = false;
}

void xml_open(struct xml_out *x, const char *name)
{
    end_tag_head(x);
    assert(x->depth < (int)(sizeof x->open / sizeof x->open[0]));
    x->open[x->depth++] = name;
    buf_fmt(&x->out, "<%s", name);
    x->in_tag = true;
}

void xml_begin(struct xml_out *x, const char *root, const char *ns)
{
    *x = (struct xml_out){0};
    buf_init(&x->out, (size_t)16 << 20);
    buf_str(&x->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml_open(x, root);
    xml_attr(x, "xmlns", ns);
}

void xml_attr(struct xml_out *x, const char *name, const char *value)
{
    assert(x->in_tag);
    buf_fmt(&x->out, " %s=\"", name);
    escaped(x, value, true);
    buf_str(&x->out, "\"");
}

void xml_attr_int(struct xml_out *x, const char *name, int64_t value)
{
    assert(x->in_tag);
    buf_fmt(&x->out, " %s=\"%lld\"", name, (long long)value);
}

void xml_text(struct xml_out *x, const char *text)
{
    end_tag_head(x);
    escaped(x, text, false);
}

void xml_close(struct xml_out *x)
{
    assert(x->depth > 0);
    const char *name = x->open[--x->depth];
    if (x->in_tag)
        buf_str(&x->out, "/>");
    else
        buf_fmt(&x->out, "</%s>", name);
    x->in_tag = false;
}

int xml_end(struct xml_out *x, struct err *e)
{
    while (x->depth)
        xml_close(x);
    buf_str(&x->out, "\n");
    return x->out.bad ? err_set(e, ERR_INPUT, "record: a character that XML cannot carry, or over 16 MiB") : 0;
}
