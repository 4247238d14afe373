/* Runs one fuzz entry without a fuzzer: `NOUN_fuzz DIRECTORY` gives it each file there, then each
 * of the file's truncations, then the file with each bit flipped. Files over REPLAY_SIZE_MAX are
 * sampled evenly instead. Fails when the directory holds no file, so that no parser goes unseeded.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_SIZE_MAX = 1024 };

static size_t replay_runs;

/* In memory of exactly this size, so that a sanitizer sees a read past the end. */
static void replay_run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        abort();
    if (size > 0)
        memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    replay_runs++;
}

static void replay_spoiled(uint8_t *data, size_t size)
{
    size_t step = size / REPLAY_SIZE_MAX + 1;
    for (size_t kept = 0; kept < size; kept += step)
        replay_run(data, kept);
    for (size_t at = 0; at < size; at += step) {
        for (unsigned bit = 0; bit < 8; bit++) {
            data[at] = (uint8_t)(data[at] ^ 1u << bit);
            replay_run(data, size);
            data[at] = (uint8_t)(data[at] ^ 1u << bit);
        }
    }
}

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    static uint8_t data[1 << 20];
    size_t size = fread(data, 1, sizeof data, file);
    int failed = ferror(file);
    fclose(file);
    if (failed != 0) {
        fprintf(stderr, "%s: reading failed\n", path);
        return 1;
    }
    replay_run(data, size);
    replay_spoiled(data, size);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    DIR *directory = opendir(argv[1]);
    if (directory == NULL) {
        perror(argv[1]);
        return 1;
    }
    int failed = 0;
    size_t files = 0;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        int length = snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (length < 0 || (size_t)length >= sizeof path) {
            failed = 1;
            continue;
        }
        failed |= replay_file(path);
        files++;
    }
    closedir(directory);
    printf("%zu files, %zu runs\n", files, replay_runs);
    if (files == 0)
        fprintf(stderr, "%s: put one valid input there at least\n", argv[1]);
    return failed != 0 || files == 0;
}
