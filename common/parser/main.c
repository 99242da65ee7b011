/* The parser child. Argument: the folder of schemas. Frames as common/record.h says. */
#include <stdio.h>
#include <string.h>

#include <libxml/xmlversion.h>

#include "common/child.h"
#include "common/parser/document.h"

static int serve_one(struct bytes request, struct buf *answer, void *arg, struct err *e)
{
    struct cursor c = {.in = request};
    char xsd[64] = "";
    (void)arg;
    uint8_t kind = cur_u8(&c);
    struct bytes name = cur_take(&c, cur_u16(&c));
    if (c.bad || (kind != 'E' && kind != 'R') || name.n == 0 || name.n >= sizeof xsd)
        return err_set(e, ERR_HELD, "parser: malformed request");
    memcpy(xsd, name.p, name.n);
    return document_flatten(answer, xsd, cur_take(&c, request.n - c.at), e);
}

int main(int argc, char **argv)
{
    struct err e = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: parser SCHEMA_FOLDER (started by the services, speaks frames on standard input and output)\n");
        return 2;
    }
    if (LIBXML_VERSION < 20914) {
        fprintf(stderr, "parser: libxml2: want 2.9.14 or later, have %s\n", LIBXML_DOTTED_VERSION);
        return 1;
    }
    if (document_setup(argv[1], &e) < 0 || child_drop_power(&e) < 0) {
        fprintf(stderr, "parser: %s\n", e.msg);
        return 1;
    }
    return child_serve(serve_one, NULL, DOCUMENT_MAX + 128) < 0 ? 1 : 0;
}
