#include "node/os/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "node/os/file.h"

/* Reads up to a newline or the end, byte by byte: what follows may be for somebody else. */
static err passphrase_line(int fd, struct buffer *line)
{
    line->size = 0;
    for (;;) {
        uint8_t byte = 0;
        ssize_t count = read(fd, &byte, 1);
        if (count < 0)
            return ERR_IO;
        if (count == 0 || byte == '\n')
            break;
        if (line->size == PASSPHRASE_SIZE_MAX)
            return ERR_TOO_LARGE;
        buffer_u8(line, byte);
        sodium_memzero(&byte, 1);
        if (line->failed)
            return ERR_TOO_LARGE;
    }
    if (line->size != 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return line->size == 0 ? ERR_INVALID : OK;
}

/* ---- the terminal ---- */

static const int passphrase_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { PASSPHRASE_SIGNAL_COUNT = sizeof passphrase_signals / sizeof passphrase_signals[0] };

static volatile sig_atomic_t passphrase_signal;

static void passphrase_on_signal(int number)
{
    passphrase_signal = number;
}

static void passphrase_say(int terminal, const char *text)
{
    if (write(terminal, text, strlen(text)) < 0) {
        /* the read that follows will fail and say so */
    }
}

static err passphrase_ask(int terminal, const char *prompt, const char *again, struct buffer *line)
{
    passphrase_say(terminal, prompt);
    passphrase_say(terminal, again);
    passphrase_say(terminal, ": ");
    err result = passphrase_line(terminal, line);
    passphrase_say(terminal, "\n");
    return result;
}

static err passphrase_ask_all(int terminal, const char *prompt, bool is_new, struct buffer *ret)
{
    uint8_t memory[PASSPHRASE_SIZE_MAX];
    err result = passphrase_ask(terminal, prompt, "", ret);
    if (result != OK || !is_new)
        return result;
    (void)sodium_mlock(memory, sizeof memory);
    struct buffer second = buffer_over(memory, sizeof memory);
    result = passphrase_ask(terminal, prompt, " (again)", &second);
    if (result == OK &&
        (second.size != ret->size || sodium_memcmp(second.data, ret->data, ret->size) != 0))
        result = ERR_INVALID;
    (void)sodium_munlock(memory, sizeof memory); /* wipes */
    return result;
}

/* The echo comes back whatever happens: a signal is noted, the terminal mended, and only then is
 * the signal let through. */
static err passphrase_terminal(const char *prompt, bool is_new, struct buffer *ret)
{
    struct termios before;
    struct sigaction old[PASSPHRASE_SIGNAL_COUNT];
    const struct sigaction note = {.sa_handler = passphrase_on_signal}; /* no SA_RESTART */
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0)
        return ERR_NOT_FOUND;
    if (tcgetattr(terminal, &before) != 0) {
        (void)close(terminal);
        return ERR_NOT_FOUND;
    }
    passphrase_signal = 0;
    for (size_t i = 0; i < PASSPHRASE_SIGNAL_COUNT; i++)
        (void)sigaction(passphrase_signals[i], &note, &old[i]);
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    err result = tcsetattr(terminal, TCSAFLUSH, &silent) == 0
                     ? passphrase_ask_all(terminal, prompt, is_new, ret)
                     : ERR_IO;
    int error_before = errno;
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    (void)close(terminal);
    for (size_t i = 0; i < PASSPHRASE_SIGNAL_COUNT; i++)
        (void)sigaction(passphrase_signals[i], &old[i], NULL);
    if (passphrase_signal != 0)
        (void)raise(passphrase_signal);
    errno = error_before;
    return result;
}

/* systemd owns the file, or gives it to us; where it says so in an ACL, the group's bits are the
 * mask of that list and not a group's. */
static err passphrase_credential(const char *name, int *ret_fd)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char path[PATH_MAX];
    struct stat about;
    int size = folder == NULL ? -1 : snprintf(path, sizeof path, "%s/%s", folder, name);
    if (size < 0 || (size_t)size >= sizeof path)
        return ERR_NOT_FOUND;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) ||
        (about.st_uid != 0 && about.st_uid != geteuid()) || (about.st_mode & 037) != 0) {
        (void)close(fd);
        return ERR_NOT_ENTITLED;
    }
    *ret_fd = fd;
    return OK;
}

err passphrase_read(const struct passphrase_source *source, const char *prompt, bool is_new,
                    struct buffer *ret)
{
    err result = OK;
    if (source->known != NULL) {
        buffer_put(ret, source->known->data, source->known->size);
        result = ret->failed ? ERR_TOO_LARGE : OK;
    } else if (source->file != NULL || source->credential != NULL) {
        int fd = -1;
        result = source->file != NULL ? file_open_private(source->file, &fd)
                                      : passphrase_credential(source->credential, &fd);
        if (result == OK) {
            result = passphrase_line(fd, ret);
            (void)close(fd);
        }
    } else if (source->fd >= 0) {
        result = passphrase_line(source->fd, ret);
    } else {
        result = passphrase_terminal(prompt, is_new, ret);
    }
    if (result == OK && is_new && ret->size < PASSPHRASE_NEW_SIZE_MIN)
        result = ERR_INVALID;
    if (result != OK) {
        sodium_memzero(ret->data, ret->capacity);
        ret->size = 0;
    }
    return result;
}
