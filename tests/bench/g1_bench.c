/* G1: durable ingest of individually signed records (320 bytes of plaintext each) from many
 * writers, over real links, fsync before acknowledgement; beside bare Ed25519 verification on all
 * cores, measured just before and just after. */
#include <stdio.h>

#include "tests/bench/ingest.h"

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: g1_bench FOLDER\n");
        return 2;
    }
    struct ingest_plan plan = {.figure = "g1",
                               .folder = argv[1],
                               .link_count = 2,
                               .writers_a_frame = 64,
                               .run_length = 1,
                               .window = 2,
                               .frame_count = 1200};
    double before = ingest_bare_verify_rate();
    struct ingest_result result = ingest_run(&plan);
    double limit = (before + ingest_bare_verify_rate()) / 2;
    printf("g1.rate %.0f records/s\n", result.rate);
    printf("g1.limit %.0f verifications/s\n", limit);
    printf("g1.ratio %.3f ratio\n", result.rate / limit);
    printf("g1.ack_p50_ms %.2f ms\n", result.ack_p50_ms);
    printf("g1.ack_p99_ms %.2f ms\n", result.ack_p99_ms);
    return 0;
}
