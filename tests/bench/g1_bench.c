/* G1: durable ingest of individually signed records (320 bytes of plaintext each) from many
 * writers, over real links, fsync before acknowledgement; beside bare Ed25519 verification on all
 * cores, measured just before and just after.
 *
 * `verify_us`, `sender_us` and `receiver_us` are processor time for each record, so other work on
 * the machine disturbs them little; `cpu_ratio` is what the ratio would be if no core ever waited.
 */
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
    struct ingest_limit before = ingest_bare_verify();
    struct ingest_result result = ingest_run(&plan);
    struct ingest_limit after = ingest_bare_verify();
    double limit = (before.rate + after.rate) / 2;
    double verify_us = (before.cpu_us + after.cpu_us) / 2;
    double record_us = result.sender_us + result.receiver_us;
    printf("g1.rate %.0f records/s\n", result.rate);
    printf("g1.limit %.0f verifications/s\n", limit);
    printf("g1.ratio %.3f ratio\n", result.rate / limit);
    printf("g1.ack_p50_ms %.2f ms\n", result.ack_p50_ms);
    printf("g1.ack_p99_ms %.2f ms\n", result.ack_p99_ms);
    printf("g1.verify_us %.2f us\n", verify_us);
    printf("g1.sender_us %.2f us\n", result.sender_us);
    printf("g1.receiver_us %.2f us\n", result.receiver_us);
    printf("g1.cpu_ratio %.3f ratio\n", verify_us / record_us);
    return 0;
}
