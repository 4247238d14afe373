#include "node/attachment/attachment_pdf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/limits.h"

enum { ANSWER_HEAD_SIZE = 4, WAIT_STEP_MS = 10 };

bool attachment_pdf_is(struct bytes content)
{
    return content.size >= 5 && memcmp(content.data, "%PDF-", 5) == 0;
}

/* A file that has no name and no disk under it. */
static int memory_file(struct bytes content)
{
    int fd = memfd_create("attachment", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < content.size) {
        ssize_t written = pwrite(fd, content.data + done, content.size - done, (off_t)done);
        if (written <= 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        done += written > 0 ? (size_t)written : 0;
    }
    return fd;
}

/* Both, and nothing else: no environment, no other descriptor. -1 when it does not start. */
static pid_t child_start(const char *program, int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    char name[] = "consilium-pdf";
    char *argv[] = {name, NULL}, *environment[] = {NULL};
    pid_t child = -1;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -1;
    }
    int failed = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    failed |= posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    failed |= posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    failed |= posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    failed |= posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                        POSIX_SPAWN_SETSID);
    failed |= posix_spawnattr_setsigmask(&attributes, &none);
    failed |= posix_spawnattr_setsigdefault(&attributes, &all);
    if (failed != 0 || posix_spawn(&child, program, &actions, &attributes, argv, environment) != 0)
        child = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/* The child's wait status; it is killed when its time is over. */
static int child_end(pid_t child)
{
    const struct timespec step = {.tv_sec = 0, .tv_nsec = WAIT_STEP_MS * 1000000L};
    int status = 0;
    for (int waited_ms = 0; waited_ms < ATTACHMENT_PDF_TIME_S_MAX * 1000;
         waited_ms += WAIT_STEP_MS) {
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child)
            return status;
        if (ended < 0 && errno != EINTR)
            return -1;
        nanosleep(&step, NULL);
    }
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

static enum attachment_verdict verdict_of(int status)
{
    if (!WIFEXITED(status))
        return ATTACHMENT_TOO_DEAR;
    switch (WEXITSTATUS(status)) {
    case ATTACHMENT_PDF_CLEANED:
        return ATTACHMENT_TAKEN;
    case ATTACHMENT_PDF_DAMAGED:
        return ATTACHMENT_DAMAGED;
    case ATTACHMENT_PDF_PROTECTED:
        return ATTACHMENT_PROTECTED;
    case ATTACHMENT_PDF_TOO_DEAR:
        return ATTACHMENT_TOO_DEAR;
    default: /* also 127: posix_spawn's child could not run it */
        return ATTACHMENT_NO_CLEANER;
    }
}

/* Exactly `size` bytes from `offset`. */
static bool memory_read(int fd, uint8_t *data, size_t size, off_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, data + done, size - done, offset + (off_t)done);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static enum attachment_verdict answer_read(int fd, struct attachment *ret_attachment)
{
    uint8_t head[ANSWER_HEAD_SIZE];
    off_t end = lseek(fd, 0, SEEK_END);
    if (end <= ANSWER_HEAD_SIZE || !memory_read(fd, head, sizeof head, 0))
        return ATTACHMENT_NO_CLEANER;
    size_t size = (size_t)end - ANSWER_HEAD_SIZE;
    if (size > ATTACHMENT_SIZE_MAX)
        return ATTACHMENT_TOO_LARGE;
    uint8_t *data = malloc(size);
    if (data == NULL)
        return ATTACHMENT_NO_MEMORY;
    if (!memory_read(fd, data, size, ANSWER_HEAD_SIZE) ||
        !attachment_pdf_is((struct bytes){data, size})) {
        free(data);
        return ATTACHMENT_NO_CLEANER;
    }
    struct reader reader = reader_of((struct bytes){head, sizeof head});
    *ret_attachment = (struct attachment){
        .type = ATTACHMENT_PDF, .data = data, .size = size, .stripped = reader_u32(&reader)};
    return ATTACHMENT_TAKEN;
}

enum attachment_verdict attachment_pdf_clean(struct bytes content, const char *pdf_program,
                                             struct attachment *ret_attachment)
{
    enum attachment_verdict verdict = ATTACHMENT_NO_MEMORY;
    int in = memory_file(content);
    int out = memory_file(BYTES_NONE);
    if (in < 0 || out < 0)
        goto done;
    verdict = ATTACHMENT_NO_CLEANER;
    pid_t child = child_start(pdf_program, in, out);
    if (child < 0)
        goto done;
    int status = child_end(child);
    if (status < 0)
        goto done;
    verdict = verdict_of(status);
    if (verdict == ATTACHMENT_TAKEN)
        verdict = answer_read(out, ret_attachment);
done:
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return verdict;
}

err attachment_pdf_find(char *ret_path, size_t size)
{
    static const char *const places[] = {"consilium-pdf", "../libexec/consilium/consilium-pdf"};
    char own[4096];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own);
    if (length <= 0 || (size_t)length == sizeof own)
        return ERR_NOT_FOUND;
    while (length > 0 && own[length - 1] != '/')
        length--;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char path[sizeof own + 64];
        int written = snprintf(path, sizeof path, "%.*s%s", (int)length, own, places[i]);
        if (written > 0 && (size_t)written < size && access(path, X_OK) == 0) {
            memcpy(ret_path, path, (size_t)written + 1);
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}
