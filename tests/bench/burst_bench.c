/* A burst: sixteen writers push records over links of their own, each in a frame of its own, and
 * keep sixteen on the way. Beside bare Ed25519 verification on all cores, measured just before and
 * just after. `g1.burst_late_s` is how long after the burst the last signature is checked. */
#include <stdio.h>

#include "tests/bench/ingest.h"

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: burst_bench FOLDER\n");
        return 2;
    }
    struct ingest_plan plan = {.figure = "burst",
                               .folder = argv[1],
                               .link_count = 16,
                               .writers_a_frame = 1,
                               .run_length = 1,
                               .window = 16,
                               .frame_count = 50000,
                               .is_burst = true};
    struct ingest_limit before = ingest_bare_verify();
    struct ingest_result result = ingest_run(&plan);
    struct ingest_limit after = ingest_bare_verify();
    double limit = (before.rate + after.rate) / 2;
    printf("g1.burst_rate %.0f records/s\n", result.rate);
    printf("g1.burst_limit %.0f verifications/s\n", limit);
    printf("g1.burst_ratio %.3f ratio\n", result.rate / limit);
    printf("g1.burst_s %.1f s\n", (double)result.record_count / result.rate);
    printf("g1.burst_late_s %.1f s\n", result.late_s);
    printf("g1.burst_ack_p50_ms %.2f ms\n", result.ack_p50_ms);
    printf("g1.burst_ack_p99_ms %.2f ms\n", result.ack_p99_ms);
    printf("g1.burst_sender_us %.2f us\n", result.sender_us);
    printf("g1.burst_receiver_us %.2f us\n", result.receiver_us);
    return 0;
}
