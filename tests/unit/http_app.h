/* http_app.h - what the tests of the HTTP server share: a server with routes of every kind, and a client that sends what it is told. */
#ifndef TESTS_UNIT_HTTP_APP_H
#define TESTS_UNIT_HTTP_APP_H

#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/http.h"

#define HOST "Host: a.test\r\n"
#define GET(path) ask("GET " path " HTTP/1.1\r\n" HOST "\r\n")

extern struct http_server *server, *secure_server;
extern atomic_int calls, released;       /* handlers run; sessions given back */
extern const struct route app_routes[];
extern const size_t napp_routes;

/* Group fixtures: both servers, and an app of files in a folder of its own. */
int app_start(void **state);
int app_stop(void **state);

struct answer { int status; char head[4096], body[65536]; size_t n; bool closed; };

int dial(const struct http_server *s);
void send_all(int fd, const void *p, size_t n);
/* The next answer of the connection; bodyless: it answers HEAD or is 100. */
void take(int fd, struct answer *a, bool bodyless);
/* A connection of its own; `closed`: the server said so and did so. */
struct answer ask_bytes(const struct http_server *s, const void *p, size_t n);
struct answer ask(const char *text);
/* POST of a body with its length. */
struct answer post(const char *path, const char *headers, const void *body, size_t n);
bool has(const struct answer *a, const char *header);

#endif
