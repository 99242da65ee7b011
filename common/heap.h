/* heap.h - how a service with dozens of threads uses the allocator: PRF, peak memory of each program at most 96 MiB.
 * glibc gives threads heaps of their own, and each keeps what its largest file or photograph once took: 78 threads held 190 MiB of which a third was in use.
 * Two heaps serve as many cores as these machines have; what is larger than 256 KiB is mapped alone and goes back when it is freed. */
#ifndef COMMON_HEAP_H
#define COMMON_HEAP_H

/* First in main, before a thread is started. */
void heap_setup(void);

#endif
