/* bench_bare.c - the HTTP library alone: a civetweb page of a given size on a loopback port, for tests/bench/service.mjs to stand beside the service.
 * usage: bench_bare SIZE   prints its port, serves until its input ends. Without arguments: says that it is a peer and ends well. */
#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *page;
static size_t page_len;

static int serve(struct mg_connection *c)
{
    mg_write(c, page, page_len);
    return 200;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        printf("bench_bare: a peer for tests/bench/service.mjs, measured there\n");
        return 0;
    }
    size_t size = strtoul(argv[1], NULL, 10);
    page = malloc(size + 256);
    if (!page)
        return 1;
    int head = snprintf(page, 256, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n", size);
    memset(page + head, 'x', size);
    page_len = (size_t)head + size;
    const char *options[] = {"listening_ports", "127.0.0.1:0", "num_threads", "64", "enable_keep_alive", "yes", "keep_alive_timeout_ms", "2000", "tcp_nodelay", "1", NULL};
    struct mg_callbacks callbacks = {.begin_request = serve};
    mg_init_library(0);
    struct mg_context *ctx = mg_start(&callbacks, NULL, options);
    struct mg_server_port port;
    if (!ctx || mg_get_server_ports(ctx, 1, &port) != 1)
        return 1;
    printf("%d\n", port.port);
    fflush(stdout);
    char end[16];
    while (read(STDIN_FILENO, end, sizeof end) > 0)
        ;
    mg_stop(ctx);
    free(page);
    return 0;
}
