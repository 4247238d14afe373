/* machine DIR: what every figure depends on, as lines `name value unit`: the cores there are, and
 * how long a 4 KiB write with fdatasync takes in DIR. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SYNC_COUNT = 200, SYNC_SIZE = 4096 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static int measure_syncs(int file, double *ret_ms)
{
    char block[SYNC_SIZE];
    memset(block, 'c', sizeof block);
    for (int i = 0; i < SYNC_COUNT; i++) {
        double start = now_ms();
        if (write(file, block, sizeof block) != (ssize_t)sizeof block || fdatasync(file) != 0)
            return -1;
        ret_ms[i] = now_ms() - start;
    }
    return 0;
}

int main(int argc, char **argv)
{
    char path[4096];
    double ms[SYNC_COUNT];
    if (argc != 2) {
        fprintf(stderr, "usage: machine DIR\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/sync", argv[1]);
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0 || measure_syncs(file, ms) != 0) {
        perror(path);
        return 1;
    }
    close(file);
    unlink(path);
    qsort(ms, SYNC_COUNT, sizeof ms[0], by_size);
    printf("machine.cores %ld cores\n", sysconf(_SC_NPROCESSORS_ONLN));
    printf("machine.sync_p50_ms %.3f ms\n", ms[SYNC_COUNT / 2]);
    printf("machine.sync_p99_ms %.3f ms\n", ms[SYNC_COUNT * 99 / 100]);
    return 0;
}
