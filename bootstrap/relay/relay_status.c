#include "bootstrap/relay/relay_status.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/os/file.h"

enum {
    RELAY_STATUS_SIZE_MAX = 4096,
    RELAY_STATUS_MODE = 0644,
    RELAY_STATUS_WAIT_MS = 50,
    RELAY_STATUS_WAITS_QUIET = 2000 / RELAY_STATUS_WAIT_MS,
    RELAY_STATUS_WAITS = 30000 / RELAY_STATUS_WAIT_MS,
};

static err relay_status_path(const char *directory, const char *name, char ret_path[PATH_MAX])
{
    int size = snprintf(ret_path, PATH_MAX, "%s/%s", directory, name);
    return size > 0 && size < PATH_MAX ? OK : ERR_TOO_LARGE;
}

err relay_status_lock(const char *directory, int *ret_fd)
{
    char path[PATH_MAX];
    err failure = relay_status_path(directory, "lock", path);
    return failure == OK ? file_lock(path, ret_fd) : failure;
}

static void relay_status_limits(FILE *out, const struct relay_config *config)
{
    const struct relay_limits *limits = &config->limits;
    (void)fprintf(out,
                  "limit.links=%" PRIu32 "\n"
                  "limit.member_window=%" PRIu32 "\n"
                  "limit.pair_window=%" PRIu32 "\n"
                  "limit.sessions=%" PRIu32 "\n"
                  "limit.watches=%" PRIu32 "\n"
                  "limit.control_per_minute=%" PRIu32 "\n"
                  "limit.publish_size=%" PRIu32 "\n",
                  config->link_count, limits->member_units * RELAY_UNIT_SIZE,
                  limits->pair_units * RELAY_UNIT_SIZE, limits->session_count, limits->watch_count,
                  limits->control_count, limits->publish_size);
}

static void relay_status_counts(FILE *out, const struct relay_engine_counts *counts)
{
    (void)fprintf(out,
                  "links=%" PRIu32 "\n"
                  "sessions=%" PRIu32 "\n"
                  "queued_bytes=%" PRIu32 "\n"
                  "queued_bytes_max=%" PRIu32 "\n"
                  "frames_in=%" PRIu64 "\n"
                  "frames_forwarded=%" PRIu64 "\n"
                  "bytes_forwarded=%" PRIu64 "\n"
                  "answers_gone=%" PRIu64 "\n"
                  "answers_busy=%" PRIu64 "\n"
                  "answers_limited=%" PRIu64 "\n"
                  "frames_malformed=%" PRIu64 "\n"
                  "links_refused=%" PRIu64 "\n"
                  "lists_taken=%" PRIu64 "\n",
                  counts->links, counts->sessions, counts->queued_units * RELAY_UNIT_SIZE,
                  counts->queued_units_max * RELAY_UNIT_SIZE, counts->frames_in,
                  counts->frames_forwarded, counts->bytes_forwarded, counts->gone, counts->busy,
                  counts->limited, counts->malformed, counts->refused, counts->published);
}

err relay_status_write(const struct relay_config *config, const struct relay_status *status)
{
    char path[PATH_MAX], head[2 * HASH_SIZE + 1];
    char *text = NULL;
    size_t size = 0;
    err failure = relay_status_path(config->data, "status", path);
    FILE *out = failure == OK ? open_memstream(&text, &size) : NULL;
    if (failure != OK)
        return failure;
    if (out == NULL)
        return ERR_NO_MEMORY;
    ids_to_hex(ID_BYTES(status->head.id), head);
    (void)fprintf(out,
                  "state=%s\npid=%ld\nversion=%s\nuptime_s=%" PRIu64 "\nepoch=%" PRIu64
                  "\nhead=%s\nhead_valid_until_ms=%" PRIu64 "\nlisted=%" PRIu32 "\n",
                  status->state, (long)getpid(), CONSILIUM_VERSION, status->uptime_s,
                  status->head.epoch, head, status->valid_until.ms, status->listed);
    relay_status_counts(out, &status->counts);
    (void)fprintf(out, "handshakes_refused=%" PRIu64 "\nmemory_reserved=%zu\n",
                  status->refused_handshakes, status->memory_size);
    relay_status_limits(out, config);
    if (fclose(out) != 0)
        failure = ERR_NO_MEMORY;
    else
        failure = file_write(path, (struct bytes){(const uint8_t *)text, size}, RELAY_STATUS_MODE);
    free(text);
    return failure;
}

/* The pid that the status file names; 0 when it names none. */
static pid_t relay_status_pid(const char *text)
{
    const char *line = strstr(text, "\npid=");
    long pid = line == NULL ? 0 : strtol(line + strlen("\npid="), NULL, 10);
    return pid > 1 && pid <= INT_MAX ? (pid_t)pid : 0;
}

/* Sends SIGUSR1 and waits until the relay has replaced the file. */
static err relay_status_refresh(const char *path, pid_t pid)
{
    struct stat before, after;
    const struct timespec pause = {.tv_nsec = RELAY_STATUS_WAIT_MS * 1000000L};
    if (stat(path, &before) != 0 || kill(pid, SIGUSR1) != 0)
        return errno == EPERM ? ERR_NOT_ENTITLED : ERR_IO;
    for (int i = 0; i < RELAY_STATUS_WAITS; i++) {
        (void)nanosleep(&pause, NULL);
        if (stat(path, &after) == 0 && after.st_ino != before.st_ino)
            return OK;
        if (i == RELAY_STATUS_WAITS_QUIET)
            (void)fprintf(stderr, "consilium-relay: waiting for process %ld, which is busy\n",
                          (long)pid);
    }
    return ERR_BUSY;
}

static err relay_status_read(const char *path, char ret_text[RELAY_STATUS_SIZE_MAX + 1])
{
    uint8_t *data = NULL;
    size_t size = 0;
    err failure = file_read(path, RELAY_STATUS_SIZE_MAX, &data, &size);
    if (failure != OK)
        return failure;
    memcpy(ret_text, data, size);
    ret_text[size] = '\0';
    free(data);
    return OK;
}

err relay_status_show(const char *directory, FILE *out)
{
    char path[PATH_MAX], text[RELAY_STATUS_SIZE_MAX + 1];
    int lock = -1;
    err failure = relay_status_path(directory, "status", path);
    if (failure == OK)
        failure = relay_status_read(path, text);
    if (failure == ERR_IO && errno == EACCES)
        return ERR_NOT_ENTITLED;
    if (failure != OK)
        return failure;
    err locked = relay_status_lock(directory, &lock);
    if (locked == OK) {
        (void)close(lock);
        (void)fputs(text, out);
        return ERR_STATE;
    }
    pid_t pid = relay_status_pid(text);
    if (locked == ERR_IO && (errno == EACCES || errno == EPERM))
        return ERR_NOT_ENTITLED;
    if (locked != ERR_BUSY || pid == 0)
        return ERR_IO;
    failure = relay_status_refresh(path, pid);
    err again = failure == OK ? relay_status_read(path, text) : OK;
    if (again == OK && (failure == OK || failure == ERR_BUSY))
        (void)fputs(text, out);
    return failure == OK ? again : failure;
}
