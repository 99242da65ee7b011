/* document.h - one XML document: bounded, without any DTD, schema-valid, flattened.
 * Owns:    the schemas, from document_setup to the end of the process.
 * Threads: one.
 * Errors:  ERR_INPUT with line and rule for whatever is wrong with the document; ERR_HELD for a schema name we do not have. */
#ifndef PARSER_DOCUMENT_H
#define PARSER_DOCUMENT_H

#include "common/bytes.h"

#define DOCUMENT_MAX ((size_t)8 << 20)

/* Load every *.xsd of the folder whose name does not end in "-types.xsd". */
int document_setup(const char *folder, struct err *e);
/* Events as record.h describes. */
int document_flatten(struct buf *out, const char *xsd, struct bytes xml, struct err *e);

#endif
