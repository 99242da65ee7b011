/* caller_frame.h - what goes between caller.c and its helper program. One request at a time per process (see child.h).
 * Request: u32 deadline_ms, u8 n, base, u16 n, path, then the JSON. Answer: u16 HTTP status, then the body. */
#ifndef COMMON_CALLER_FRAME_H
#define COMMON_CALLER_FRAME_H

enum {
    CALLER_DEADLINE_MAX_MS = 10000,
    CALLER_PATH_MAX = 512,
    CALLER_BASE_MAX = 32,            /* bytes of a base's name */
    CALLER_BASES_MAX = 16,
    CALLER_REQUEST_MAX = 4 << 20,    /* JSON bytes */
    CALLER_ANSWER_MAX = 4 << 20
};

#endif
