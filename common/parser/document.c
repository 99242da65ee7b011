#include "common/parser/document.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlschemas.h>

#define DEPTH_MAX 8
#define ATTRS_MAX 32
#define ELEMENTS_MAX 20000u
#define SCHEMAS_MAX 16

static struct { char name[64]; xmlSchemaPtr schema; } schemas[SCHEMAS_MAX];
static size_t nschemas;

/* What is wrong with the document that is being read; the first fault wins. Our own flag: libxml2 may hand back a "well-formed" document
 * although its parser was stopped. */
static struct err *fault;
static xmlParserCtxtPtr reading;
static unsigned depth, elements;

static void refuse(const char *rule)
{
    err_set(fault, ERR_INPUT, "line %d: %s", reading ? xmlSAX2GetLineNumber(reading) : 0, rule);
    if (reading)
        xmlStopParser(reading);
}

/* libxml2 quotes the value it refuses. Sentences go into logs, where nobody's name may stand: the value is cut out, element, attribute and
 * rule stay. "Element 'a', attribute 'b': [facet 'pattern'] The value 'x' is not accepted..." and "Element 'a': 'x' is not a valid value...". */
static void cut_value(char *text, size_t cap)
{
    static const char *const marks[] = {"The value '", "': '"};
    for (size_t i = 0; i < 2; i++) {
        char *at = strstr(text, marks[i]);
        if (at)
            snprintf(at + (i ? 3 : 0), cap - (size_t)(at - text) - 3, "the value is not accepted");
    }
}

static void on_error(void *ctx, xmlErrorPtr x)
{
    (void)ctx;
    char text[200];
    snprintf(text, sizeof text, "%s", x && x->message ? x->message : "not well-formed");
    text[strcspn(text, "\n")] = 0;
    cut_value(text, sizeof text);
    err_set(fault, ERR_INPUT, "line %d: %s", x ? x->line : 0, text);
}

static void on_dtd(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)ctx; (void)name; (void)external; (void)system;
    refuse("DOCTYPE is not allowed");
}

static void on_entity(void *ctx, const xmlChar *name, int type, const xmlChar *pub, const xmlChar *sys, xmlChar *content)
{
    (void)ctx; (void)name; (void)type; (void)pub; (void)sys; (void)content;
    refuse("entities are not allowed");
}

static void on_comment(void *ctx, const xmlChar *value)
{
    (void)ctx; (void)value;
    refuse("comments are not allowed");
}

static void on_instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
    (void)ctx; (void)target; (void)data;
    refuse("processing instructions are not allowed");
}

static void on_cdata(void *ctx, const xmlChar *value, int len)
{
    (void)ctx; (void)value; (void)len;
    refuse("CDATA is not allowed");
}

/* Our documents have one namespace and no prefix. Others ask libxml2 for something: xsi:schemaLocation to load a schema, xsi:type to judge by another type. */
static bool has_prefix(const xmlChar *prefix, int nattrs, const xmlChar **attrs)
{
    for (int i = 0; i < nattrs && !prefix; i++)
        prefix = attrs[5 * i + 1];
    return prefix != NULL;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nns, const xmlChar **ns, int nattrs, int ndefault,
                     const xmlChar **attrs)
{
    if (fault->code)
        return;
    if (++depth > DEPTH_MAX)
        refuse("elements nest deeper than 8");
    else if (++elements > ELEMENTS_MAX)
        refuse("more than 20000 elements");
    else if (nattrs > ATTRS_MAX || nns > 1)
        refuse("more than 32 attributes on one element");
    else if (has_prefix(prefix, nattrs, attrs))
        refuse("prefixes are not allowed");
    else
        xmlSAX2StartElementNs(ctx, name, prefix, uri, nns, ns, nattrs, ndefault, attrs);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    if (fault->code)
        return;
    depth--;
    xmlSAX2EndElementNs(ctx, name, prefix, uri);
}

static int load_schema(const char *folder, const char *file, struct err *e)
{
    char path[600];
    if (nschemas == SCHEMAS_MAX || strlen(file) - 4 >= sizeof schemas[0].name)
        return err_set(e, ERR_INTERNAL, "%s: too many schemas or too long a name", file);
    if (str_fmt(path, sizeof path, e, "%s/%s", folder, file) < 0)
        return -1;
    xmlSchemaParserCtxtPtr p = xmlSchemaNewParserCtxt(path);
    fault = e;
    xmlSchemaSetParserStructuredErrors(p, on_error, NULL);
    schemas[nschemas].schema = p ? xmlSchemaParse(p) : NULL;
    xmlSchemaFreeParserCtxt(p);
    if (!schemas[nschemas].schema) {
        err_set(e, ERR_INTERNAL, "not a schema");
        return err_wrap(e, "%s", path);
    }
    snprintf(schemas[nschemas++].name, sizeof schemas[0].name, "%.*s", (int)(strlen(file) - 4), file);
    return 0;
}

int document_setup(const char *folder, struct err *e)
{
    DIR *dir = opendir(folder);
    int rc = 0;
    if (!dir)
        return err_sys(e, "schemas %s", folder);
    xmlInitParser();
    for (struct dirent *de; rc == 0 && (de = readdir(dir));) {
        size_t n = strlen(de->d_name);
        bool types = n > 10 && strcmp(de->d_name + n - 10, "-types.xsd") == 0;
        if (n > 4 && strcmp(de->d_name + n - 4, ".xsd") == 0 && !types)
            rc = load_schema(folder, de->d_name, e);
    }
    closedir(dir);
    return rc == 0 && nschemas == 0 ? err_set(e, ERR_INTERNAL, "%s: no schemas", folder) : rc;
}

static xmlDocPtr read_document(struct bytes xml, struct err *e)
{
    xmlParserCtxtPtr ctx = xmlCreateMemoryParserCtxt((const char *)xml.p, (int)xml.n);
    if (!ctx) {
        err_set(e, ERR_INPUT, "line 1: want an XML document, have %zu bytes", xml.n);
        return NULL;
    }
    fault = e;
    reading = ctx;
    depth = elements = 0;
    xmlCtxtUseOptions(ctx, XML_PARSE_NONET | XML_PARSE_NODICT);
    ctx->sax->serror = on_error;
    ctx->sax->error = ctx->sax->fatalError = NULL;
    ctx->sax->warning = NULL;
    ctx->sax->internalSubset = on_dtd;
    ctx->sax->externalSubset = on_dtd;
    ctx->sax->entityDecl = on_entity;
    ctx->sax->comment = on_comment;
    ctx->sax->processingInstruction = on_instruction;
    ctx->sax->cdataBlock = on_cdata;
    ctx->sax->startElementNs = on_start;
    ctx->sax->endElementNs = on_end;
    xmlParseDocument(ctx);
    xmlDocPtr doc = ctx->myDoc;
    ctx->myDoc = NULL;
    if (!ctx->wellFormed)
        err_set(e, ERR_INPUT, "not well-formed");
    if (doc && doc->encoding && xmlStrcasecmp(doc->encoding, BAD_CAST "UTF-8") != 0)
        err_set(e, ERR_INPUT, "line 1: encoding: want UTF-8, have %.20s", (const char *)doc->encoding);
    reading = NULL;
    xmlFreeParserCtxt(ctx);
    if (e->code) {
        xmlFreeDoc(doc);
        return NULL;
    }
    return doc;
}

static int validate(xmlDocPtr doc, const char *xsd, struct err *e)
{
    size_t i = 0;
    while (i < nschemas && strcmp(schemas[i].name, xsd) != 0)
        i++;
    if (i == nschemas)
        return err_set(e, ERR_HELD, "record kind '%.40s' has no schema here", xsd);
    xmlSchemaValidCtxtPtr v = xmlSchemaNewValidCtxt(schemas[i].schema);
    if (!v)
        return err_set(e, ERR_INTERNAL, "schema %s: no memory", xsd);
    fault = e;
    xmlSchemaSetValidStructuredErrors(v, on_error, NULL);
    int rc = xmlSchemaValidateDoc(v, doc);
    xmlSchemaFreeValidCtxt(v);
    return rc == 0 ? 0 : err_set(e, ERR_INPUT, "not valid by schema %s (%d)", xsd, rc);
}

static void put_name(struct buf *out, char event, const xmlChar *name)
{
    size_t n = (size_t)xmlStrlen(name);
    buf_u8(out, (uint8_t)event);
    buf_u16(out, (uint16_t)n);
    buf_put(out, name, n);
}

static void put_attr(struct buf *out, const xmlAttr *a)
{
    size_t n = 0;
    for (const xmlNode *t = a->children; t; t = t->next)
        n += (size_t)xmlStrlen(t->content);
    put_name(out, 'A', a->name);
    buf_u32(out, (uint32_t)n);
    for (const xmlNode *t = a->children; t; t = t->next)
        buf_str(out, (const char *)t->content);
}

/* Depth is bounded by the reader. */
static void flatten(struct buf *out, const xmlNode *n)
{
    size_t text = 0;
    put_name(out, 'S', n->name);
    for (const xmlAttr *a = n->properties; a; a = a->next)
        put_attr(out, a);
    for (const xmlNode *c = n->children; c; c = c->next)
        if (c->type == XML_TEXT_NODE)
            text += (size_t)xmlStrlen(c->content);
    if (text) {
        buf_u8(out, 'T');
        buf_u32(out, (uint32_t)text);
        for (const xmlNode *c = n->children; c; c = c->next)
            if (c->type == XML_TEXT_NODE)
                buf_str(out, (const char *)c->content);
    }
    for (const xmlNode *c = n->children; c; c = c->next)
        if (c->type == XML_ELEMENT_NODE)
            flatten(out, c);
    buf_u8(out, 'C');
}

/* The XML declaration names UTF-8 or no encoding. Read here, before libxml2: it would open a converter, and that kills a child that
 * may open nothing. */
static int check_declaration(struct bytes xml, struct err *e)
{
    const char *text = (const char *)xml.p;
    if (xml.n < 6 || memcmp(text, "<?xml", 5) != 0 || !strchr(" \t\r\n", text[5]))
        return 0;
    const char *end = memmem(text, xml.n < 200 ? xml.n : 200, "?>", 2);
    if (!end)
        return err_set(e, ERR_INPUT, "line 1: XML declaration: want its end within 200 bytes");
    const char *at = memmem(text, (size_t)(end - text), "encoding", 8);
    if (!at)
        return 0;
    at += 8;
    at += strspn(at, " \t\r\n");
    at += *at == '=';
    at += strspn(at, " \t\r\n");
    if (end - at < 7 || (*at != '"' && *at != '\'') || strncasecmp(at + 1, "UTF-8", 5) != 0 || at[6] != *at)
        return err_set(e, ERR_INPUT, "line 1: encoding: want UTF-8, have something else");
    return 0;
}

static int refuse_at(struct bytes xml, const uint8_t *at, const char *rule, struct err *e)
{
    unsigned line = 1;
    for (const uint8_t *p = xml.p; p < at; p++)
        line += *p == '\n';
    return err_set(e, ERR_INPUT, "line %u: %s", line, rule);
}

/* What begins with <! or <?, but for the declaration. libxml2 tells us of it at its end: a comment of 6 MB that has none kept it busy for minutes. */
static int check_markup(struct bytes xml, const uint8_t *at, struct err *e)
{
    const size_t left = xml.n - (size_t)(at - xml.p);
    if (left < 2 || (at[1] != '!' && at[1] != '?'))
        return 0;
    if (at[1] == '?')
        return at == xml.p && left > 5 && memcmp(at, "<?xml", 5) == 0 && strchr(" \t\r\n", at[5]) ? 0 : refuse_at(xml, at, "processing instructions are not allowed", e);
    return refuse_at(xml, at, left > 2 && at[2] == '-' ? "comments are not allowed" : left > 2 && at[2] == '[' ? "CDATA is not allowed" : "DOCTYPE is not allowed", e);
}

/* libxml2 compares each attribute of an element with all before it, and calls us when it has them all: 6 MB of them kept it busy for minutes. So they are
 * counted here, as quoted values between '<' and '>'; one more for the namespace. A quote that does not end is refused by libxml2 where it stands. */
static int check_tags(struct bytes xml, struct err *e)
{
    const uint8_t *at = xml.p, *end = xml.p + xml.n;
    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        unsigned values = 0;
        if (check_markup(xml, at, e) < 0)
            return -1;
        for (at++; at < end && *at != '>'; at++)
            if (*at == '"' || *at == '\'') {
                if (++values > ATTRS_MAX + 1)
                    return refuse_at(xml, at, "more than 32 attributes on one element", e);
                at = memchr(at + 1, *at, (size_t)(end - at - 1));
                if (!at)
                    return 0;
            }
    }
    return 0;
}

/* Bytes that promise UTF-8 before any parser sees them: no other encoding's mark, no NUL. */
static int check_bytes(struct bytes xml, struct err *e)
{
    if (xml.n == 0 || xml.n > DOCUMENT_MAX)
        return err_set(e, ERR_INPUT, "document: want 1 to %zu bytes, have %zu", DOCUMENT_MAX, xml.n);
    if (xml.p[0] != '<')
        return err_set(e, ERR_INPUT, "line 1: want '<' as the first byte, have 0x%02x", xml.p[0]);
    if (memchr(xml.p, 0, xml.n))
        return err_set(e, ERR_INPUT, "document: want UTF-8, have a NUL byte");
    return check_declaration(xml, e) < 0 ? -1 : check_tags(xml, e);
}

int document_flatten(struct buf *out, const char *xsd, struct bytes xml, struct err *e)
{
    if (check_bytes(xml, e) < 0)
        return -1;
    xmlDocPtr doc = read_document(xml, e);
    if (!doc)
        return -1;
    int rc = validate(doc, xsd, e);
    if (rc == 0) {
        flatten(out, xmlDocGetRootElement(doc));
        rc = buf_done(out, xsd, e);
    }
    xmlFreeDoc(doc);
    return rc;
}
