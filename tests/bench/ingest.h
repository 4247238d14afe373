/* G1 and G2 share this: a federation, many writers' records made beforehand, one process that sends
 * them over real links, and one that ingests them with the production shell on a real disk.
 *
 * The sender keeps a window of frames unacknowledged on each link, as a member would. An
 * acknowledgement counts when it arrives back at the sender, so it includes both directions, the
 * checks and the fsync. */
#ifndef CONSILIUM_TESTS_BENCH_INGEST_H
#define CONSILIUM_TESTS_BENCH_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ingest_plan {
    const char *figure;       /* "g1" */
    const char *folder;       /* empty, on the disk that is measured */
    uint32_t link_count;      /* 1 to 16 */
    uint32_t writers_a_frame; /* records of different writers in one frame, each alone ... */
    uint32_t run_length;      /* ... or as a run of this many positions */
    uint32_t window;          /* frames on the way on each link */
    uint32_t frame_count;     /* on each link */
    bool is_burst;            /* each link is the only writer's own; and what was not checked when
                                 all is acknowledged is waited for */
};

struct ingest_result {
    double rate;       /* records durable and acknowledged a second */
    double ack_p50_ms; /* from send to acknowledgement, by frame */
    double ack_p99_ms;
    uint64_t record_count;
    double sender_us;   /* processor time for each record, all threads together: ... */
    double late_s;      /* of a burst: until all signatures are checked, after the end */
    double receiver_us; /* ... where the sending and the receiving process spend it */
};

/* Exits with a message when anything is not as it must be. */
struct ingest_result ingest_run(const struct ingest_plan *plan);

/* Bare Ed25519 verification of messages of a header's size, on all cores at once, for a second. */
struct ingest_limit {
    double rate;   /* of all cores */
    double cpu_us; /* of one verification */
};
struct ingest_limit ingest_bare_verify(void);

/* Wall time in seconds. */
double ingest_now_s(void);

#endif
