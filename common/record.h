/* record.h - XML records: written by us, read only through the powerless parser child.
 * The child (common/parser, build/libexec/parser) is given the schema folder at start (loads every XSD, then drops all power).
 * Request frame:  u8 kind of document ('E' envelope, 'R' record), u16 length and name of the XSD ("envelope", "application"…), then the XML.
 * Answer:         a flat message, checked again by record_decode: events  'S' u16 name | 'A' u16 name u32 value | 'T' u32 text | 'C' (close).
 * Rules in the child: size <= 8 MiB, UTF-8 only, no DTD of any kind (own flag), no entities, no comments, no processing instructions,
 * depth <= 8, no prefixes, <= 32 attributes an element, <= 20,000 elements, schema-valid; a violation is ERR_INPUT with line and rule.
 * Owns:    struct record owns its nodes (one arena) until record_free. Threads: none shared. */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include "common/child.h"

struct rec_attr { const char *name, *value; };
struct rec_node {
    const char *name;
    const char *text;              /* concatenated own text, "" if none */
    size_t text_len;
    const struct rec_attr *attrs;
    size_t nattrs;
    const struct rec_node *parent, *child, *next;
};
struct record { struct rec_node *root; void *arena; };

/* ERR_INPUT: refused with line and rule. ERR_HELD: the child died. */
int record_parse(struct record *out, struct child_pool *parser, char document, const char *xsd, struct bytes xml, struct err *e);
void record_free(struct record *r);
const char *rec_attr(const struct rec_node *n, const char *name);           /* "" when absent */
/* A whole number, 0 when absent, not a number, or outside min..max: what must be exact is demanded by the schema. */
int64_t rec_attr_int(const struct rec_node *n, const char *name, int64_t min, int64_t max);
const struct rec_node *rec_child(const struct rec_node *n, const char *name);     /* first of that name, or NULL */
const struct rec_node *rec_next(const struct rec_node *n, const char *name);      /* next sibling of that name, or NULL */
const char *rec_child_text(const struct rec_node *n, const char *name);     /* "" when absent */

/* Writer: well-formed by construction. What XML 1.0 cannot carry makes the buffer bad. */
struct xml_out { struct buf out; const char *open[10]; int depth; bool in_tag; };
void xml_begin(struct xml_out *x, const char *root, const char *ns);
void xml_open(struct xml_out *x, const char *name);
void xml_attr(struct xml_out *x, const char *name, const char *value);
void xml_attr_int(struct xml_out *x, const char *name, int64_t value);
void xml_text(struct xml_out *x, const char *text);
void xml_close(struct xml_out *x);
int xml_end(struct xml_out *x, struct err *e);                              /* closes all; ERR_INPUT when bad */

#endif
