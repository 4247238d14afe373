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

enum {
    ANSWER_HEAD_SIZE = 12,
    WAIT_STEP_MS = 10,
    LINE_COUNT_BEFORE = 2,
    LINE_SIZE_MAX = 255,
    SPAWN_FAILED = 127 /* posix_spawn: the program could not be run */
};

static const char attachment_pdf_mark[] = "%PDF-";

/* Some programs write empty lines, or a line of a mail, before it. */
bool attachment_pdf_is(struct bytes content)
{
    size_t mark_size = strlen(attachment_pdf_mark), start = 0;
    for (int line = 0; line <= LINE_COUNT_BEFORE; line++) {
        size_t end = start;
        if (content.size - start >= mark_size &&
            memcmp(content.data + start, attachment_pdf_mark, mark_size) == 0)
            return true;
        while (end < content.size && end - start <= LINE_SIZE_MAX && content.data[end] != '\n')
            end++;
        if (end == content.size || content.data[end] != '\n')
            return false;
        start = end + 1;
    }
    return false;
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
static pid_t child_start(const char *program, bool is_as_pictures, int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    char name[] = "consilium-pdf", pictures[] = ATTACHMENT_PDF_PICTURES;
    char *argv[] = {name, is_as_pictures ? pictures : NULL, NULL}, *environment[] = {NULL};
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
    case ATTACHMENT_PDF_DYNAMIC:
        return ATTACHMENT_DYNAMIC;
    case ATTACHMENT_PDF_FONT:
        return ATTACHMENT_FONT;
    case ATTACHMENT_PDF_FIELD:
        return ATTACHMENT_FIELD;
    case ATTACHMENT_PDF_TEXT:
        return ATTACHMENT_TEXT_CHANGES;
    case ATTACHMENT_PDF_UNUSABLE:
    case SPAWN_FAILED:
        return ATTACHMENT_NO_CLEANER;
    default: /* its libraries end a program that has no memory left */
        return ATTACHMENT_TOO_DEAR;
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

/* `size` bytes of the answer from `offset`, and a zero; NULL: no memory, or the answer is shorter.
 */
static uint8_t *answer_part(int fd, size_t size, size_t offset)
{
    uint8_t *part = malloc(size + 1);
    if (part != NULL && !memory_read(fd, part, size, (off_t)offset)) {
        free(part);
        return NULL;
    }
    if (part != NULL)
        part[size] = 0;
    return part;
}

struct answer {
    uint32_t stripped;
    uint32_t page;
    size_t findings_size;
    size_t size; /* all of it */
};

static bool answer_read_head(int fd, struct answer *ret_answer)
{
    uint8_t head[ANSWER_HEAD_SIZE];
    off_t end = lseek(fd, 0, SEEK_END);
    if (end < ANSWER_HEAD_SIZE || !memory_read(fd, head, sizeof head, 0))
        return false;
    struct reader reader = reader_of((struct bytes){head, sizeof head});
    ret_answer->stripped = reader_u32(&reader);
    ret_answer->page = reader_u32(&reader);
    ret_answer->findings_size = reader_u32(&reader);
    ret_answer->size = (size_t)end;
    return ret_answer->findings_size <= ATTACHMENT_FINDINGS_SIZE_MAX &&
           ret_answer->findings_size <= ret_answer->size - ANSWER_HEAD_SIZE;
}

static enum attachment_verdict answer_read(int fd, const struct answer *answer,
                                           struct attachment *ret_attachment)
{
    size_t start = ANSWER_HEAD_SIZE + answer->findings_size;
    size_t size = answer->size - start;
    if (size > ATTACHMENT_SIZE_MAX)
        return ATTACHMENT_TOO_LARGE;
    uint8_t *findings = answer_part(fd, answer->findings_size, ANSWER_HEAD_SIZE);
    uint8_t *data = answer_part(fd, size, start);
    if (findings == NULL || data == NULL || !attachment_pdf_is((struct bytes){data, size})) {
        free(findings);
        free(data);
        return ATTACHMENT_NO_CLEANER;
    }
    if (answer->findings_size == 0) {
        free(findings);
        findings = NULL;
    }
    *ret_attachment = (struct attachment){.type = ATTACHMENT_PDF,
                                          .data = data,
                                          .size = size,
                                          .stripped = answer->stripped,
                                          .findings = (char *)findings};
    return ATTACHMENT_TAKEN;
}

static enum attachment_verdict attachment_pdf_draw(struct bytes content, const char *pdf_program,
                                                   bool is_as_pictures,
                                                   struct attachment *ret_attachment)
{
    enum attachment_verdict verdict = ATTACHMENT_NO_MEMORY;
    struct answer answer = {.page = 0};
    int in = memory_file(content);
    int out = memory_file(BYTES_NONE);
    if (in < 0 || out < 0)
        goto done;
    verdict = ATTACHMENT_NO_CLEANER;
    pid_t child = child_start(pdf_program, is_as_pictures, in, out);
    if (child < 0)
        goto done;
    int status = child_end(child);
    if (status < 0)
        goto done;
    verdict = verdict_of(status);
    bool has_head = answer_read_head(out, &answer);
    if (verdict == ATTACHMENT_TAKEN)
        verdict = has_head ? answer_read(out, &answer, ret_attachment) : ATTACHMENT_NO_CLEANER;
    if (verdict != ATTACHMENT_TAKEN)
        ret_attachment->page = has_head ? answer.page : 0;
done:
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return verdict;
}

enum attachment_verdict attachment_pdf_clean(struct bytes content, const char *pdf_program,
                                             struct attachment *ret_attachment)
{
    return attachment_pdf_draw(content, pdf_program, false, ret_attachment);
}

enum attachment_verdict attachment_pdf_picture(struct bytes content, const char *pdf_program,
                                               struct attachment *ret_attachment)
{
    return attachment_pdf_draw(content, pdf_program, true, ret_attachment);
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
